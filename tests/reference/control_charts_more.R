# Reference numbers for charts of subgroups, rare events and memory, made with base R only:
#   Rscript tests/reference/control_charts_more.R
# Textbook formulas written out; the output is typed into tests/spc/test_subgroups.py, test_memory.py,
# test_rare_events.py and test_normalized.py.
options(digits = 13)
d2 <- function(n) integrate(function(w) 1 - ptukey(w, n, Inf), 0, 20, rel.tol = 1e-11)$value
c4 <- function(n) sqrt(2 / (n - 1)) * exp(lgamma(n / 2) - lgamma((n - 1) / 2))

# subgroups of unequal size: the first ten of Montgomery's table 6.4
g <- list(c(74.030, 74.002, 74.019, 73.992, 74.008), c(73.995, 73.992, 74.001),
          c(73.988, 74.024, 74.021, 74.005, 74.002), c(74.002, 73.996, 73.993, 74.015, 74.009),
          c(73.992, 74.007, 74.015, 73.989, 74.014), c(74.009, 73.994, 73.997, 73.985),
          c(73.995, 74.006, 73.994, 74.000), c(73.985, 74.003, 73.993, 74.015, 73.988),
          c(74.008, 73.995, 74.009, 74.005), c(73.998, 74.000, 73.990, 74.007, 73.995))
n <- lengths(g); s <- sapply(g, sd); r <- sapply(g, function(x) diff(range(x)))
center <- sum(unlist(g)) / sum(n); sbar <- sqrt(sum((n - 1) * s^2) / sum(n - 1))
a3 <- 3 / (c4(n) * sqrt(n))
cat("unequal center", center, "sbar", sbar, "upper", (center + a3 * sbar)[1:2], "\n")
b4 <- 1 + 3 * sqrt(1 - c4(n)^2) / c4(n)
cat("unequal s upper", (b4 * sbar)[1:2], "\n")
h <- c4(n)^2 / (1 - c4(n)^2); cat("weighted s", sum(h * s / c4(n)) / sum(h), "plain", mean(s / c4(n)), "\n")
nu <- sum(n - 1); cat("pooled", sbar / c4(nu + 1), "\n")
d3 <- function(k) sqrt(integrate(function(w) 2 * w * (1 - ptukey(w, k, Inf)), 0, 20, rel.tol = 1e-11)$value - d2(k)^2)
D2 <- sapply(n, d2); D3 <- sapply(n, d3); f <- (D2 / D3)^2
cat("weighted range", sum(f * r / D2) / sum(f), "plain", mean(r / D2), "\n")

# standard deviation of the median of n normal values
for (k in c(3, 5, 7)) {
  m <- (k - 1) / 2
  v <- integrate(function(x) x^2 * exp(lgamma(k + 1) - 2 * lgamma(m + 1)) * dnorm(x) * (pnorm(x) * pnorm(-x))^m,
                 -9, 9, rel.tol = 1e-11)$value
  cat("median", k, sqrt(v), "\n")
}
# of two values: their mean; of four: simulated integral over the joint density of the middle two
f4 <- function(x) sapply(x, function(m) integrate(function(t)
  2 * 24 * pnorm(m - t) * pnorm(-m - t) * dnorm(m - t) * dnorm(m + t), 0, 9, rel.tol = 1e-11)$value)
cat("median 4", sqrt(integrate(function(m) m^2 * f4(m), -9, 9, rel.tol = 1e-10)$value), "\n")

# EWMA and tabular CUSUM of Montgomery's table 9.1
x <- c(9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
       10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52)
z <- Reduce(function(z, v) 0.1 * v + 0.9 * z, x, 10, accumulate = TRUE)[-1]
cat("ewma", z[c(1, 2, 10, 28, 30)], "\n")
up <- Reduce(function(a, v) max(0, a + v - 10.5), x, 0, accumulate = TRUE)[-1]
lo <- Reduce(function(a, v) max(0, a + 9.5 - v), x, 0, accumulate = TRUE)[-1]
cat("cusum", up[c(5, 29, 30)], lo[c(2, 3, 7)], "\n")
up <- Reduce(function(a, v) max(0, a + v - 10.5), x, 2.5, accumulate = TRUE)[-1]
cat("head start", up[c(1, 4, 5)], "\n")
ma <- stats::filter(x, rep(1 / 5, 5), sides = 1); cat("moving average", ma[c(5, 6, 30)], "\n")

# t chart: valve failures of Montgomery's table 7.14
t <- c(286, 948, 536, 124, 816, 729, 4, 143, 431, 8, 2837, 596, 81, 227, 603, 492, 1199, 1214, 2831, 96)
y <- t^(1 / 3.6); s <- mean(abs(diff(y))) / (2 / sqrt(pi))
cat("nelson", mean(y), s, pmax(mean(y) + c(-3, 0, 3) * s, 0)^3.6, "\n")
cat("exponential", qexp(pnorm(c(-3, 0, 3)), 1 / mean(t)), "\n")
nll <- function(p) -sum(dweibull(t, exp(p[1]), exp(p[2]), log = TRUE))
fit <- optim(c(0, log(600)), nll, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))
b <- uniroot(function(b) sum(t^b * log(t)) / sum(t^b) - 1 / b - mean(log(t)), c(0.2, 3), tol = 1e-14)$root
eta <- mean(t^b)^(1 / b)
cat("weibull", b, eta, exp(fit$par), qweibull(pnorm(c(-3, 0, 3)), b, eta), "\n")

# g chart: deliveries between cases
v <- c(22, 38, 14, 33, 0, 48, 97, 28, 26, 12, 44, 6, 9, 26, 23, 13, 19, 37, 43, 10)
m <- mean(v)
cat("g", m, m + 3 * sqrt(m * (m + 1)), qgeom(pnorm(c(-3, 3)), 1 / (1 + m)), "\n")

# I' chart (Taylor) of totals with unequal denominators
num <- c(1265.983327, 1265.494062, 1234.095432, 467.0938368, 480.5207487, 1263.362522, 471.6089798, 483.3272231,
         1247.482101, 1252.155511)
den <- c(13, 13, 13, 5, 5, 13, 5, 5, 13, 13)
q <- num / den; center <- sum(num) / sum(den); k <- length(q)
s <- mean(abs(diff(q)) / sqrt(1 / den[-1] + 1 / den[-k])) * sqrt(pi / 2)
cat("i_prime", center, s, center + 3 * s / sqrt(den[c(1, 4)]), "mr", s * (sqrt(2 / pi) + 3 * sqrt(1 - 2 / pi)), "\n")

# Z-MR: products A and B in turn
p <- c("A", "A", "B", "B", "A", "B", "A", "B"); w <- c(10.1, 9.8, 20.5, 21.9, 10.6, 19.0, 10.2, 20.2)
sg <- sapply(c("A", "B"), function(i) mean(abs(diff(w[p == i])))) / (2 / sqrt(pi))
mu <- sapply(c("A", "B"), function(i) mean(w[p == i]))
cat("z", ((w - mu[p]) / sg[p])[c(1, 3, 8)], "\n")
sp <- mean(unlist(lapply(c("A", "B"), function(i) abs(diff(w[p == i]))))) / (2 / sqrt(pi))
cat("pooled z", ((w - mu[p]) / sp)[c(1, 3, 8)], "\n")
sr <- mean(unlist(lapply(c("A", "B"), function(i) abs(diff(w[p == i])) / mu[i]))) / (2 / sqrt(pi))
cat("relative z", ((w - mu[p]) / (sr * mu[p]))[c(1, 3, 8)], "\n")
