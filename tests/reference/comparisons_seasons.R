# R 4.2.2, nlme 3.1: F of twelve months beside a level change, AR(1) errors, one spread (test_effect_sizes.py)
library(nlme)
t <- 0:59
y <- round(20 + 2 * sin(t * 2.3) + 1.5 * cos(t * t / 7) + 0.8 * sin(t / 3) + 2 * cos(2 * pi * t / 12) - 4 * (t >= 32), 4)
m <- factor(t %% 12)
g <- gls(y ~ (t >= 32) + m, correlation = corAR1(form = ~t), control = glsControl(tolerance = 1e-10, msTol = 1e-12))
i <- grep("^m", names(coef(g)))
b <- coef(g)[i]
cat(format(sum(b * solve(vcov(g)[i, i], b)) / length(b), digits = 12), coef(g$modelStruct$corStruct, unconstrained = FALSE), "\n")
