# Reference numbers for control charts, made with base R only (R 4.2; no chart package):
#   Rscript tests/reference/control_charts.R
# The output is typed into tests/spc/test_constants.py and tests/spc/test_attributes.py.
options(digits = 12)

# d2 and d3: mean and standard deviation of the range of n normal values, from the distribution of the
# studentized range with infinite degrees of freedom
for (n in c(2, 3, 5, 10, 25)) {
  upper <- function(w) 1 - ptukey(w, nmeans = n, df = Inf)
  d2 <- integrate(upper, 0, 20, rel.tol = 1e-10)$value
  square <- integrate(function(w) 2 * w * upper(w), 0, 20, rel.tol = 1e-10)$value
  c4 <- sqrt(2 / (n - 1)) * gamma(n / 2) / gamma((n - 1) / 2)
  cat(n, "d2", d2, "d3", sqrt(square - d2^2), "c4", c4, "\n")
}

# a Laney p' chart by Laney (2002), with unequal sizes
count <- c(12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22)
size <- c(50, 60, 45, 50, 40, 55, 62, 48, 50, 51, 39, 44, 70, 50, 66)
p <- count / size
center <- sum(count) / sum(size)
s <- sqrt(center * (1 - center) / size)
z <- (p - center) / s
sigma_z <- mean(abs(diff(z))) / (2 / sqrt(pi))
cat("center", center, "sigma_z", sigma_z, "\n")
cat("p upper", (center + 3 * s)[c(1, 5, 15)], "\n")
cat("p lower", pmax(0, center - 3 * s)[c(1, 5, 15)], "\n")
cat("laney upper", (center + 3 * s * sigma_z)[c(1, 5, 15)], "\n")
cat("laney lower", pmax(0, center - 3 * s * sigma_z)[c(1, 5, 15)], "\n")

# individuals, the three ways to sigma (Montgomery's viscosity, 20 batches)
x <- c(34.05, 34.40, 33.59, 35.96, 34.70, 33.51, 33.79, 34.04, 34.52, 33.75,
       33.27, 33.71, 34.03, 34.58, 34.02, 33.97, 34.05, 34.04, 33.73, 34.05)
m <- abs(diff(x)); n <- length(x)
cat("mean", mean(x), "\n")
cat("moving range", mean(m) / (2 / sqrt(pi)), "\n")
cat("median moving range", median(m) / (sqrt(2) * qnorm(0.75)), "\n")
cat("standard deviation", sd(x) / (sqrt(2 / (n - 1)) * gamma(n / 2) / gamma((n - 1) / 2)), "\n")

# tails and probability limits of attribute charts (tests/spc/test_scores.py)
cat("ppois", ppois(6, 1.9), ppois(6, 1.9, lower.tail = FALSE), "pbinom", pbinom(3, 9, .1), "\n")
cat("c", qpois(pnorm(c(-3, 3)), 516 / 26), "np", qbinom(pnorm(c(-3, 3)), 50, 347 / 1500), "\n")
