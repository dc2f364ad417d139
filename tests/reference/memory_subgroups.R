# EWMA, CUSUM and moving average of subgroups, and moving ranges of longer spans, with base R:
#   Rscript tests/reference/memory_subgroups.R
# typed into tests/spc/test_memory.py and tests/spc/test_individuals.py.
options(digits = 12)
d2 <- function(n) integrate(function(w) 1 - ptukey(w, n, Inf), 0, 20, rel.tol = 1e-11)$value
d3 <- function(k) sqrt(integrate(function(w) 2 * w * (1 - ptukey(w, k, Inf)), 0, 20, rel.tol = 1e-11)$value - d2(k)^2)

# qtukey itself stops at about eight digits
d4 <- function(k) uniroot(function(w) ptukey(w, k, Inf) - 0.5, c(0.1, 9), tol = 1e-14)$root

# the first ten of Montgomery's table 6.4: subgroups of unequal size
g <- list(c(74.030, 74.002, 74.019, 73.992, 74.008), c(73.995, 73.992, 74.001),
          c(73.988, 74.024, 74.021, 74.005, 74.002), c(74.002, 73.996, 73.993, 74.015, 74.009),
          c(73.992, 74.007, 74.015, 73.989, 74.014), c(74.009, 73.994, 73.997, 73.985),
          c(73.995, 74.006, 73.994, 74.000), c(73.985, 74.003, 73.993, 74.015, 73.988),
          c(74.008, 73.995, 74.009, 74.005), c(73.998, 74.000, 73.990, 74.007, 73.995))
n <- lengths(g); m <- sapply(g, mean); mu <- 74; s <- 0.01
z <- Reduce(function(z, v) 0.2 * v + 0.8 * z, m, mu, accumulate = TRUE)[-1]
v <- Reduce(function(v, k) 0.04 / k + 0.64 * v, n, 0, accumulate = TRUE)[-1]
cat("ewma", z[c(1, 2, 10)], "upper", (mu + 3 * s * sqrt(v))[c(1, 2, 10)],
    "asymptotic", (mu + 3 * s * sqrt(0.2 / 1.8 / n))[1:2], "\n")
e <- (m - mu) / (s / sqrt(n))
up <- Reduce(function(a, b) max(0, a + b - 0.5), e, 0, accumulate = TRUE)[-1]
lo <- Reduce(function(a, b) max(0, a - b - 0.5), e, 0, accumulate = TRUE)[-1]
cat("cusum", (up * s / sqrt(n))[c(1, 3, 10)], "below", (-lo * s / sqrt(n))[c(2, 6)], "limit", (5 * s / sqrt(n))[1:2], "\n")
w <- sapply(1:10, function(i) mean(m[max(1, i - 2):i]))
b <- sapply(1:10, function(i) sqrt(sum(1 / n[max(1, i - 2):i])) / length(max(1, i - 2):i))
cat("moving average", w[c(1, 2, 3, 10)], "upper", (mu + 3 * s * b)[c(1, 2, 3, 10)], "\n")

# Montgomery's table 6.6 (viscosity), moving ranges of 3, 4 and 8 points
x <- c(34.05, 34.40, 33.59, 35.96, 34.70, 33.51, 33.79, 34.04, 34.52, 33.75,
       33.27, 33.71, 34.03, 34.58, 34.02, 33.97, 34.05, 34.04, 33.73, 34.05)
for (k in c(3, 4, 8)) {
  r <- sapply(k:20, function(i) diff(range(x[(i - k + 1):i])))
  cat("span", k, "sigma", mean(r) / d2(k), "median", median(r) / d4(k), "center", mean(r),
      "limits", max(0, (d2(k) - 3 * d3(k)) * mean(r) / d2(k)), (d2(k) + 3 * d3(k)) * mean(r) / d2(k), "\n")
}
