# Two-sample references for tests/baselines/test_drift.py. Run: Rscript drift.R
suppressMessages(library(survival))
options(digits = 12)
time <- c(3, 5, 7, 2, 9, 4, 6, 8, 1, 10, 12, 3.5, 11, 15, 14, 6.5)
done <- c(1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1)
g <- rep(1:2, each = 8)
d <- survdiff(Surv(time, done) ~ g); print(d$chisq)
# number of new values outside the middle order statistics of 100 old ones: beta-binomial
# ranks 2 and 98 of 100: span 96, outside a = 101 - 96 = 5, b = 96, 40 new values
k <- 0:40
p <- exp(lchoose(40, k) + lbeta(k + 5, 40 - k + 96) - lbeta(5, 96))
print(c(sum(p[k >= 7]), sum(p[k <= 7])))
