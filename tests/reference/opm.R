# Numbers for tests/practices/test_opm_*.py, made with R 4 (base). Rscript tests/reference/opm.R
options(digits = 10)

# 1. Length of a pilot: 12 periods before, sd and a criterion of 2 hours less, alpha 0.05, power 0.8, rho 0
before <- c(20, 23, 19, 22, 18, 21, 24, 20, 19, 22, 23, 21)
s <- sd(before)
two <- function(n1, n2, d, alpha) {
  df <- n1 + n2 - 2
  nc <- d * sqrt(n1 * n2 / (n1 + n2))
  edge <- qt(1 - alpha / 2, df)
  pt(-edge, df, nc) + 1 - pt(edge, df, nc)
}
cat("sd", s, "\n")
for (n in 17:20) cat("detect", n, two(12, n, 2 / s, 0.05), "\n")
# expected 4 hours less against a criterion of 2, assurance 0.8 (alpha 0.4 two-sided)
for (n in 8:9) cat("met", n, two(12, n, 2 / s, 0.4), "\n")

# 2. Probability that the improvement reaches the criterion: estimate, interval and df of the comparison
p <- function(estimate, low, high, df, need, conf = 0.95) {
  se <- (high - low) / (2 * qt((1 + conf) / 2, df))
  c(se = se, p = pt((estimate - need) / se, df))
}
print(p(4, 3, 5, 20, 3.5))

# 3. A level during the pilot: 10 independent-looking periods against a target of 10 at most
y <- c(9.1, 8.7, 9.9, 9.4, 8.8, 9.6, 9.0, 9.3, 9.8, 8.9)
n <- length(y)
r <- sum((y[-1] - mean(y)) * (y[-n] - mean(y))) / sum((y - mean(y))^2)
rc <- min(max((r + 1 / n) / (1 - 4 / n), 0), 0.95)
neff <- max(2, n * (1 - rc) / (1 + rc))
se <- sd(y) / sqrt(neff)
cat("level", mean(y), r, rc, neff, se, pt((10 - mean(y)) / se, neff - 1), "\n")

# 4. Next period: probability of at least 0.8 and expected shortfall, shares after the arcsine
x <- c(0.82, 0.75, 0.9, 0.7, 0.85, 0.78, 0.88, 0.8)
n <- length(x)
a <- asin(sqrt(x))
r <- sum((a[-1] - mean(a)) * (a[-n] - mean(a))) / sum((a - mean(a))^2)
rc <- min(max((r + 1 / n) / (1 - 4 / n), 0), 0.95)
neff <- max(2, n * (1 - rc) / (1 + rc))
sp <- sd(a) * sqrt(1 + 1 / neff)
edge <- asin(sqrt(0.8))
cat("next", rc, 1 - pt((edge - mean(a)) / sp, n - 1), "\n")
short <- integrate(function(t) {
  v <- sin(pmin(pmax(mean(a) + sp * t, 0), pi / 2))^2
  pmax(0.8 - v, 0) * dt(t, n - 1)
}, -Inf, (edge - mean(a)) / sp, rel.tol = 1e-10)$value
cat("short", short, "\n")

# 5. Combination of two stages: full correlation and Cochran's Q
est <- c(-4, -3); se <- c(0.5, 0.7); w <- c(1, 2) / 3
cat("combined", sum(w * est), sum(w * se), "\n")
v <- 1 / se^2
m <- sum(v * est) / sum(v)
cat("Q p", 1 - pchisq(sum(v * (est - m)^2), 1), "\n")

# 6. A benefit: normal improvement x uniform volume x fixed worth; mean and variance in closed form
m <- 2; s <- 0.5; lo <- 800; hi <- 1200; worth <- 3
ev <- (lo + hi) / 2; vv <- (hi - lo)^2 / 12
cat("benefit", m * ev * worth, sqrt((m^2 + s^2) * (ev^2 + vv) - (m * ev)^2) * worth, "\n")
