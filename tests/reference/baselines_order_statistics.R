# Coverage of order-statistic intervals from the binomial distribution; run with Rscript.
cover <- function(n, p, r, s) pbinom(s - 1, n, p) - pbinom(r - 1, n, p)
options(digits = 15)
print(cover(10, .5, 2, 9)); print(cover(20, .5, 6, 15)); print(cover(100, .9, 85, 97)); print(cover(30, .9, 23, 30))
# confidence of (smallest, largest) as tolerance interval
tol <- function(n, c) 1 - n * c^(n - 1) + (n - 1) * c^n
print(tol(92, .95)); print(tol(93, .95)); print(tol(30, .95)); print(tol(50, .95))
print(c(qbinom(.025, 100, .9), qbinom(.975, 100, .9)))
