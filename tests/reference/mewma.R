# Multivariate EWMA with base R and the package spc, typed into tests/spc/test_mewma.py:
#   Rscript tests/reference/mewma.R
library(spc)
options(digits = 10)
# Lowry, Woodall, Champ and Rigdon (1992), the simulated example; variances 1, correlation 0.5
x <- cbind(c(-1.19, 0.12, -1.69, 0.30, 0.89, 0.82, -0.30, 0.63, 1.56, 1.46),
           c(0.59, 0.90, 0.40, 0.46, -0.75, 0.98, 2.28, 1.75, 1.58, 3.05))
t2 <- function(x, mu, s, lam, exact = TRUE, n = rep(1, nrow(x))) {
  z <- 0 * mu; v <- 0; out <- numeric(nrow(x))
  for (i in 1:nrow(x)) {
    z <- lam * (x[i, ] - mu) + (1 - lam) * z
    v <- lam^2 / n[i] + (1 - lam)^2 * v
    out[i] <- drop(z %*% solve(s * if (exact) v else lam / (2 - lam) / n[i]) %*% z)
  }
  out
}
s <- matrix(c(1, 0.5, 0.5, 1), 2)
cat("known, exact", t2(x, c(0, 0), s, 0.1), "\nasymptotic", t2(x, c(0, 0), s, 0.1, FALSE), "\n")
# NIST's handbook (6.3.4.3) takes the covariance of these ten points, around 0
cat("NIST", t2(x, c(0, 0), cov(x), 0.1), "\n")
cat("own mean and covariance", t2(x, colMeans(x), cov(x), 0.1), "\n")
# subgroups of sizes 2, 3, 2, 3 of the same rows
g <- rep(1:4, c(2, 3, 2, 3)); m <- apply(x, 2, function(v) tapply(v, g, mean)); n <- as.vector(table(g))
pooled <- Reduce(`+`, lapply(1:4, function(i) crossprod(scale(x[g == i, ], scale = FALSE)))) / (10 - 4)
cat("subgroups, exact", t2(m, colMeans(x), pooled, 0.2, TRUE, n), "\nasymptotic",
    t2(m, colMeans(x), pooled, 0.2, FALSE, n), "\n")
# limits: spc; Prabhu and Runger (1997), table of h for a run length of 200
for (p in c(2, 4, 6, 10)) cat("h", p, mewma.crit(0.1, 200, p), "\n")
cat("h for three sigma", mewma.crit(0.1, 1 / (2 * pnorm(-3)), 2), mewma.crit(0.1, 370, 3), "\n")
