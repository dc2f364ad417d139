# Tolerance factors by integration, tolerance and prediction intervals of counts: base R, no packages.
two <- function(n, P, g) {
  r <- function(z) uniroot(function(r) pnorm(z / sqrt(n) + r) - pnorm(z / sqrt(n) - r) - P, c(0, 50), tol = 1e-13)$root
  f <- function(k) integrate(function(z) sapply(z, function(zz)
    2 * dnorm(zz) * pchisq((n - 1) * r(zz)^2 / k^2, n - 1, lower.tail = FALSE)), 0, 8.3,
    rel.tol = 1e-11, subdivisions = 500)$value - g
  uniroot(f, c(0.1, 500), tol = 1e-11)$root
}
one <- function(n, P, g) {
  # not qt(ncp =): it loses digits
  f <- function(k) integrate(function(c) dchisq(c, n - 1) * pnorm(sqrt(n) * (k * sqrt(c / (n - 1)) - qnorm(P))),
    0, Inf, rel.tol = 1e-12, subdivisions = 2000)$value - g
  uniroot(f, c(-50, 500), tol = 1e-12)$root
}
for (a in list(c(2, .95, .95), c(5, .9, .99), c(10, .95, .95), c(30, .99, .95), c(100, .9, .9), c(43, .9, .99)))
  cat(a, sprintf("%.9f %.9f", two(a[1], a[2], a[3]), one(a[1], a[2], a[3])), "\n")
# counts: Hahn and Chandra (1981)
pois <- function(x, n, m, P, g, two = TRUE) {
  a <- if (two) (1 - g) / 2 else 1 - g; t <- if (two) (1 - P) / 2 else 1 - P
  c(qpois(t, qgamma(a, x) * m / n), qpois(1 - t, qgamma(1 - a, x + 1) * m / n))
}
bin <- function(x, n, m, P, g, two = TRUE) {
  a <- if (two) (1 - g) / 2 else 1 - g; t <- if (two) (1 - P) / 2 else 1 - P
  c(qbinom(t, m, qbeta(a, x, n - x + 1)), qbinom(1 - t, m, qbeta(1 - a, x + 1, n - x)))
}
print(pois(45, 5, 1, .9, .95)); print(pois(120, 110, 45, .9, .95, FALSE)); print(pois(300, 12, 2, .95, .99))
print(bin(230, 1000, 50, .9, .95)); print(bin(10, 400, 200, .95, .9, FALSE))
ppois2 <- function(x, n, m, P) { a <- (1 - P) / 2; y <- 0:2000
  keep <- pbinom(x, x + y, n / (n + m)) > a & pbinom(x - 1, x + y, n / (n + m), lower.tail = FALSE) > a; range(y[keep]) }
pbin2 <- function(x, n, m, P) { a <- (1 - P) / 2; y <- 0:m
  keep <- phyper(x, x + y, n + m - x - y, n) > a & phyper(x - 1, x + y, n + m - x - y, n, lower.tail = FALSE) > a
  range(y[keep]) }
print(ppois2(24, 5, 1, .95)); print(ppois2(3, 10, 20, .9)); print(pbin2(20, 400, 100, .95)); print(pbin2(0, 30, 20, .9))
