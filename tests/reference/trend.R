# A straight trend with AR(1) errors, restricted maximum likelihood: slope and standard error of tests/practices/test_trend.py.
# R 4, nlme. Run: Rscript tests/reference/trend.R
library(nlme)
y <- c(21.3, 22.8, 22.1, 20.4, 19.8, 21.9, 23.7, 24.4, 23.0, 22.2, 21.0, 22.9, 24.8, 25.1, 24.0, 25.6, 26.9, 25.2, 23.8, 24.9,
       26.3, 27.0, 25.7, 26.8, 28.1, 27.2, 26.0, 25.1, 26.7, 28.4)
t <- seq_along(y)
show <- function(m) {
  s <- summary(m)
  cat(sprintf("%.10f %.10f %.6f\n", coef(m)[["t"]], s$tTable["t", "Std.Error"], coef(m$modelStruct$corStruct, unconstrained = FALSE)))
}
show(gls(y ~ t, correlation = corAR1(form = ~ t), method = "REML", control = glsControl(tolerance = 1e-12, msTol = 1e-14)))
# two weeks are missing
k <- -c(11, 20)
show(gls(y ~ t, data = data.frame(y = y, t = t)[k, ], correlation = corCAR1(form = ~ t), method = "REML"))
# logarithms
ly <- log(y)
show(gls(ly ~ t, correlation = corAR1(form = ~ t), method = "REML"))
