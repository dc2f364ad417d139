# Numbers for tests/models/test_simulation*.py, in base R 4: Rscript tests/reference/simulation.R
options(digits = 12)
p <- c(1e-6, 0.01, 0.5, 0.99, 1 - 1e-6)
cat("gamma, mean 4 sd 3:", qgamma(p, shape = (4 / 3)^2, scale = 9 / 4), "\n")
cat("weibull, shape 0.8 scale 5:", qweibull(p, 0.8, 5), "\n")
cat("exponential, mean 2:", qexp(p, 1 / 2), "\n")
cat("pert 1, 2, 7:", 1 + 6 * qbeta(p, 1 + 4 / 6, 1 + 20 / 6), "\n")

# done when 2 of 3 exponentials (means 1, 2, 3) are: survival of the second smallest
F <- function(x, m) pexp(x, 1 / m)
waiting <- function(x) {
  a <- F(x, 1); b <- F(x, 2); c <- F(x, 3)
  (1 - a) * (1 - b) * (1 - c) + a * (1 - b) * (1 - c) + (1 - a) * b * (1 - c) + (1 - a) * (1 - b) * c
}
m <- integrate(waiting, 0, Inf, rel.tol = 1e-12)$value
s <- integrate(function(x) 2 * x * waiting(x), 0, Inf, rel.tol = 1e-12)$value
cat("2 of 3 exponentials: mean", m, "variance", s - m^2, "\n")

# max of two lognormals whose logs are correlated 0.5: logs N(1, 0.6), N(1.2, 0.4), by double integration
r <- 0.5
inner <- function(z1) sapply(z1, function(a) integrate(function(z2) {
  pmax(exp(1 + 0.6 * a), exp(1.2 + 0.4 * (r * a + sqrt(1 - r^2) * z2))) * dnorm(z2)
}, -9, 9, rel.tol = 1e-10, subdivisions = 2000)$value)
m <- integrate(function(a) inner(a) * dnorm(a), -9, 9, rel.tol = 1e-9, subdivisions = 2000)$value
inner2 <- function(z1) sapply(z1, function(a) integrate(function(z2) {
  pmax(exp(1 + 0.6 * a), exp(1.2 + 0.4 * (r * a + sqrt(1 - r^2) * z2)))^2 * dnorm(z2)
}, -10, 10, rel.tol = 1e-10, subdivisions = 2000)$value)
s <- integrate(function(a) inner2(a) * dnorm(a), -10, 10, rel.tol = 1e-9, subdivisions = 2000)$value
cat("max of correlated lognormals: mean", m, "variance", s - m^2, "\n")

# sum of gamma(shape 2) and gamma(shape 3), scale 1: gamma(5); share of at most 6
cat("P(gamma(5) <= 6):", pgamma(6, 5), " median:", qgamma(0.5, 5), "\n")
# geometric rework of an exponential step (mean 2, p 0.3) is exponential with mean 2 / 0.7
cat("P90 of exponential rework:", qexp(0.9, 0.7 / 2), "\n")
# three uniform steps correlated through one factor (rank correlation 0.4): variance of the sum
# Var = 3/12 + 6 cov, cov of uniforms with rank correlation 0.4 is 0.4/12
cat("variance of three uniforms:", 3 / 12 + 6 * 0.4 / 12, "\n")
# triangular(1, 2, 6) correlated with lognormal(0, 0.5), score correlation 0.5: covariance by integration
qtri <- function(u) ifelse(u < 0.2, 1 + sqrt(u * 5), 6 - sqrt((1 - u) * 20))
g <- function(z1) sapply(z1, function(a) integrate(function(z2) {
  qtri(pnorm(a)) * exp(0.5 * (0.5 * a + sqrt(0.75) * z2)) * dnorm(z2)
}, -9, 9, rel.tol = 1e-10)$value)
c12 <- integrate(function(a) g(a) * dnorm(a), -9, 9, rel.tol = 1e-9, subdivisions = 5000)$value - 3 * exp(0.125)
cat("covariance triangular, lognormal:", c12, "variance of the sum:",
    (1 + 4 + 36 - 2 - 6 - 12) / 18 + exp(0.25) * (exp(0.25) - 1) + 2 * c12, "\n")
