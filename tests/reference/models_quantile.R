# Numbers of tests/models/test_check_loss.py: Rscript models_quantile.R (R 4.2.2, quantreg; method "br", exact simplex).
# The data are made without random numbers, so that both sides have the same; the spread grows with x
# (at .5 the level of b has no single solution: half of 1666 rows).
suppressMessages(library(quantreg))
i <- 0:4998
u <- function(k) (i * k) %% 1
d <- data.frame(x = 1 + 9 * u(sqrt(2)), g = c("a", "b", "c")[1 + i %% 3])
d$y <- 2 + 1.5 * d$x + c(a = 0, b = 1, c = -1)[d$g] + (0.3 + .4 * d$x) * qlogis(pmin(pmax(u(sqrt(7)), .001), .999))
for (s in c(.05, .3, .47, .9)) cat(s, sprintf("%.12g", coef(suppressWarnings(rq(y ~ x + g, s, d, method = "br")))), "\n")
