# Numbers of tests/spc/test_funnel.py, from base R and metafor (R 4.2, metafor 3.8): no funnel package is in
# Debian, so phi, tau2 and limits are written out from Spiegelhalter (2005), Statistics in Medicine 24.
r <- c(12, 30, 9, 55, 41, 18, 77, 5, 36, 62, 20, 15)
n <- c(150, 210, 90, 400, 350, 220, 480, 60, 300, 410, 120, 180)
y <- r / n
p <- sum(r) / sum(n)
s <- sqrt(p * (1 - p) / n)
z <- (y - p) / s
dispersion <- function(z, s, q) {
  w <- pmin(pmax(z, quantile(z, q)), quantile(z, 1 - q))
  I <- length(z)
  phi <- sum(w^2) / I
  v <- 1 / s^2
  c(phi = phi, tau2 = max(0, (I * phi - (I - 1)) / (sum(v) - sum(v^2) / sum(v))))
}
print(p, digits = 12)
print(dispersion(z, s, 0.1), digits = 12)
print(dispersion(z, s, 0), digits = 12)
# without winsorizing tau2 is DerSimonian and Laird's, the variances being those at the common level
print(metafor::rma(yi = y, vi = s^2, method = "DL")$tau2, digits = 12)
d <- dispersion(z, s, 0.1)
cat("additive upper\n"); print(p + 3 * sqrt(s^2 + d["tau2"]), digits = 12)
cat("multiplicative upper\n"); print(p + 3 * s * sqrt(d["phi"]), digits = 12)
cat("exact limits at 3 sigma\n")
print(qbinom(pnorm(-3), n, p)); print(qbinom(pnorm(3), n, p))
cat("two-sided exact tails and chance beyond 2 sigma\n")
print(pmin(1, 2 * pmin(pbinom(r, n, p), pbinom(r - 1, n, p, lower.tail = FALSE))), digits = 10)
up <- floor((p + 2 * s) * n) ; lo <- ceiling((p - 2 * s) * n)
print(sum(pbinom(up, n, p, lower.tail = FALSE) + pbinom(lo - 1, n, p)), digits = 12)
# rates: Poisson law
u <- sum(r) / sum(n); su <- sqrt(u / n); zu <- (y - u) / su
print(dispersion(zu, su, 0.1), digits = 12)
print(qpois(pnorm(-3), u * n)); print(qpois(pnorm(3), u * n))
# values with standard errors
v <- c(10.1, 12.4, 9.8, 11.0, 14.9, 10.5, 8.2, 11.7, 10.9, 13.3)
se <- c(0.9, 0.7, 1.1, 0.5, 0.8, 0.6, 1.2, 0.4, 0.9, 1.0)
m <- metafor::rma(yi = v, vi = se^2, method = "FE")
print(c(m$beta, metafor::rma(yi = v, vi = se^2, method = "DL")$tau2), digits = 12)
