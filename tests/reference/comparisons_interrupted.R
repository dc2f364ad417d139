# Interrupted series, Newey-West, Hedges' g and power: the numbers typed in
# tests/comparisons/test_interrupted.py, test_long_run.py, test_effect_sizes.py and test_power.py.
suppressPackageStartupMessages({library(nlme); library(sandwich)})
options(digits = 12)
n <- 60
t <- 0:(n - 1)
y <- round(20 + 0.05 * t + 2 * sin(t * 2.3) + 1.5 * cos(t * t / 7) + 0.8 * sin(t / 3) - 4 * (t >= 32), 4)
after <- as.numeric(t >= 32)
since <- ifelse(t >= 32, t - 32, 0)
frame <- data.frame(y, t, after, since, side = factor(after))
fit <- gls(y ~ t + after + since, frame, correlation = corAR1(form = ~t), weights = varIdent(form = ~1 | side),
           control = glsControl(tolerance = 1e-12, msTol = 1e-14, opt = "optim", optimMethod = "BFGS", maxIter = 500, msMaxIter = 5000))
cat("coefficients", coef(fit), "\n"); cat("se", sqrt(diag(fit$varBeta)), "\n")
cat("logLik", as.numeric(logLik(fit)), "phi", coef(fit$modelStruct$corStruct, unconstrained = FALSE), "\n")
V <- fit$varBeta
m <- mean(since[after == 1]); c1 <- c(0, 0, 1, m)
cat("average", sum(c1 * coef(fit)), sqrt(c1 %*% V %*% c1), "\n")
step <- lm(y ~ after)
nw <- NeweyWest(step, lag = floor(4 * (n / 100)^(2 / 9)), prewhite = FALSE, adjust = TRUE)
cat("newey_west", coef(step)[2], sqrt(nw[2, 2]), "\n")
a <- y[after == 0]; b <- y[after == 1]
df <- n - 2; s <- sqrt(((length(a) - 1) * var(a) + (length(b) - 1) * var(b)) / df)
d <- (mean(b) - mean(a)) / s; root <- sqrt(length(a) * length(b) / n)
J <- exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
lim <- function(p) uniroot(function(nc) pt(d * root, df, nc) - p, c(-30, 30), tol = 1e-13)$root
cat("hedges", J * d, J * lim(0.975) / root, J * lim(0.025) / root, "\n")
cat("t", power.t.test(n = 64, delta = .5, strict = TRUE)$power, power.t.test(n = 20, delta = .6, type = "paired", strict = TRUE)$power,
    power.t.test(n = 64, power = .8, strict = TRUE)$delta, "\n")
cat("prop", power.prop.test(n = 200, p1 = .7, p2 = .8, strict = TRUE)$power, power.prop.test(p1 = .7, p2 = .8, power = .8, strict = TRUE)$n, "\n")
cat("anova", power.anova.test(groups = 4, n = 18, between.var = .0625 * 4 / 3, within.var = 1)$power, "\n")
phillips <- function(n, m) { df <- 2 * n - 2; te <- qt(.95, df)
  f <- function(u) (pnorm(sqrt(n / 2) * m - te * u) - pnorm(-sqrt(n / 2) * m + te * u)) *
    exp(log(2) + (df / 2) * log(df / 2) - lgamma(df / 2) + (df - 1) * log(u) - df * u^2 / 2)
  integrate(f, 0, m * sqrt(n / 2) / te, rel.tol = 1e-12)$value }
cat("tost", phillips(50, .5), phillips(100, .5), "\n")
