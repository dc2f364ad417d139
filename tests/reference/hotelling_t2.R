# Hotelling's T2 in base R, typed into tests/spc/test_multivariate.py:  Rscript tests/reference/hotelling_t2.R
options(digits = 10)
set.seed(1)
x <- cbind(c(51, 49, 52, 50, 47, 53, 50, 48, 55, 49, 51, 50), c(20, 19, 22, 21, 18, 22, 19, 19, 23, 20, 20, 21),
           c(7.1, 6.8, 7.5, 7.0, 6.9, 7.4, 7.2, 6.6, 7.3, 7.0, 7.1, 6.9))
m <- nrow(x); p <- ncol(x); alpha <- 0.001
cat("T2", mahalanobis(x, colMeans(x), cov(x)), "\n")
cat("UCL phase 1", (m - 1)^2 / m * qbeta(1 - alpha, p / 2, (m - p - 1) / 2), "\n")
cat("UCL phase 2", p * (m + 1) * (m - 1) / (m^2 - m * p) * qf(1 - alpha, p, m - p), "\n")
cat("UCL known", qchisq(1 - alpha, p), "\n")
g <- rep(1:4, each = 3)
means <- apply(x, 2, function(v) tapply(v, g, mean))
s <- Reduce(`+`, lapply(1:4, function(i) cov(x[g == i, ]))) / 4
cat("subgroups T2", 3 * mahalanobis(means, colMeans(means), s), "\n")
m <- 4; n <- 3
cat("UCL subgroups phase 1", p * (m - 1) * (n - 1) / (m * n - m - p + 1) * qf(1 - alpha, p, m * n - m - p + 1),
    "phase 2", p * (m + 1) * (n - 1) / (m * n - m - p + 1) * qf(1 - alpha, p, m * n - m - p + 1), "\n")
