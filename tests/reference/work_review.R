# Numbers of tests/practices/test_work_review.py: predictions of objectives, trade-offs, joint probability.
# Run:  Rscript tests/reference/work_review.R

# 20 items, 12 meet the target; 30 ahead; at least half of all 50: 13 or more of the 30.
# Level Beta(12.5, 8.5) (Jeffreys); binomial given the level.
p <- integrate(function(x) (1 - pbinom(12, 30, x)) * dbeta(x, 12.5, 8.5), 0, 1, rel.tol = 1e-10)
cat("share, independent:", format(p$value, digits = 10), "\n")

# Level only (no end declared): P(level >= 0.5)
cat("share, level:", format(1 - pbeta(0.5, 12.5, 8.5), digits = 10), "\n")

# Mean of 10 values, 15 ahead, whole mean at most 5.2
x <- c(4.1, 6.2, 3.9, 5.8, 4.4, 6.0, 4.2, 5.9, 4.0, 6.1)
n <- length(x); m <- 15
sd_ahead <- sqrt(var(x) / n + var(x) / m)
needed <- ((n + m) * 5.2 - sum(x)) / m
cat("mean:", format(pt((needed - mean(x)) / sd_ahead, n - 1), digits = 10), "\n")
half <- qt(0.975, n - 1) * sd_ahead
cat("mean interval:", format(c(n * mean(x) + m * (mean(x) - half), n * mean(x) + m * (mean(x) + half)) / (n + m),
                             digits = 10), "\n")

# Spearman's correlation with Bonett and Wright's interval (2000), effective n after Bartlett (1935)
a <- c(3.1, 2.7, 4.4, 5.0, 3.6, 2.2, 4.9, 5.6, 3.3, 4.1, 2.5, 5.2)
b <- c(81, 77, 84, 90, 80, 79, 86, 95, 83, 82, 75, 88)
# hours shall be low, the score high: correlation of -hours with score
r <- cor(-a, b, method = "spearman")
lag1 <- function(v) { v <- v - mean(v); sum(v[-1] * v[-length(v)]) / sum(v^2) }
g <- max(lag1(rank(-a)) * lag1(rank(b)), 0)
n <- length(a) * (1 - g) / (1 + g)
se <- sqrt((1 + r^2 / 2) / (n - 3))
cat("trade-off:", format(c(r, n, tanh(atanh(r) - 1.959963985 * se), tanh(atanh(r) + 1.959963985 * se)), digits = 10), "\n")

# Three objectives with probabilities 0.9, 0.8, 0.85; rank correlations -0.5 (1, 2), 0.3 (1, 3), none measured (2, 3)
library(mvtnorm)
pearson <- function(rho) 2 * sin(pi * rho / 6)
s <- diag(3); s[1, 2] <- s[2, 1] <- pearson(-0.5); s[1, 3] <- s[3, 1] <- pearson(0.3)
p <- pmvnorm(upper = qnorm(c(0.9, 0.8, 0.85)), corr = s, algorithm = Miwa())
cat("joint:", format(as.numeric(p), digits = 8), "\n")
