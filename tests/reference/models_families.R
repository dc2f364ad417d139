# Numbers of tests/models/test_families.py: Rscript models_families.R > models_families.json (R 4.2.2;
# MASS, lme4, quantreg, sandwich, lmtest, car). The data are made without random numbers, so that both sides
# have the same.
suppressMessages({library(MASS); library(lme4); library(quantreg); library(sandwich); library(lmtest)})
E <- glm.control(epsilon = 1e-15, maxit = 100)
i <- 0:119
u <- function(k) (i * k) %% 1                       # quasi-random numbers in [0, 1)
a <- sqrt(2) - 1; b <- sqrt(3) - 1; c <- sqrt(5) - 2; e <- sqrt(7) - 2
d <- data.frame(x = round(1 + 9 * u(a), 3), g = c("a", "b", "c")[1 + i %% 3], w = 1 + i %% 4, m = 5 + i %% 7,
                t = i, h = paste0("h", 10 + i %% 12))
d$z <- qnorm(pmin(pmax(u(e), .01), .99))
eff <- c(a = 0, b = .3, c = -.4)[d$g]
d$y <- round(2 + 1.5 * d$x + 3 * eff + (0.3 + .2 * d$x) * d$z, 4)
d$dur <- round(qgamma(pmin(pmax(u(b), .005), .995), 3, 3 / exp(.5 + .2 * d$x + eff)), 4)
d$cnt <- qpois(u(c), exp(.2 + .15 * d$x + eff))
d$big <- qnbinom(u(c), size = 1.5, mu = exp(.5 + .2 * d$x + eff))
d$ev <- as.numeric(u(b) < plogis(-1 + .3 * d$x + eff))
d$k <- qbinom(u(b), d$m, plogis(-1 + .2 * d$x + eff))
d$mix <- round(d$y + 2 * qnorm((1 + i %% 12) / 13), 4)
new <- data.frame(x = c(3, 8), g = c("a", "c"), m = c(6, 9), w = c(1, 1), h = c("h10", "new"))
co <- function(f) { s <- summary(f)$coefficients; list(b = unname(s[, 1]), se = unname(s[, 2]), names = rownames(s)) }
link <- function(f) { p <- predict(f, new, se.fit = TRUE); list(fit = unname(p$fit), fit_se = unname(p$se.fit)) }
wls <- lm(y ~ x + g, d, weights = w)
ols <- lm(y ~ x + g, d)
gam <- glm(dur ~ x + g, Gamma("log"), d, control = E)
bin <- glm(ev ~ x + g, binomial, d, control = E)
bik <- glm(cbind(k, m - k) ~ x + g, binomial, d, control = E)
poi <- glm(cnt ~ x + g + offset(log(w)), poisson, d, control = E)
neg <- glm.nb(big ~ x + g, d, control = glm.control(epsilon = 1e-12, maxit = 100))
mix <- lmer(mix ~ x + g + (1 | h), d, control = lmerControl(optCtrl = list(ftol_abs = 1e-14, xtol_abs = 1e-12)))
lag <- floor(4 * (nrow(d) / 100)^(2 / 9))
quan <- function(tau) { f <- rq(y ~ x + z, tau, d[1:119, ]); s <- summary(f, se = "nid", covariance = TRUE)
  list(b = unname(coef(f)), se = unname(s$coefficients[, 2])) }
infl <- influence.measures(ols)$infmat
out <- list(
  data = d, lag = lag,
  ols = c(co(ols), list(hc3 = sqrt(diag(vcovHC(ols, "HC3"))),
    nw = sqrt(diag(NeweyWest(ols, lag = lag, prewhite = FALSE, adjust = TRUE))),
    dw = unname(dwtest(ols, exact = FALSE)$statistic), dw_p = dwtest(ols, exact = FALSE)$p.value,
    dw_exact_p = dwtest(ols, exact = TRUE)$p.value,
    lb = unname(Box.test(residuals(ols), 10, "Ljung-Box")$statistic), lb_p = Box.test(residuals(ols), 10, "Ljung-Box")$p.value,
    bp = unname(bptest(ols)$statistic), bp_p = unname(bptest(ols)$p.value),
    reset = unname(resettest(ols, power = 2:3)$statistic), reset_p = resettest(ols, power = 2:3)$p.value,
    dfbetas = unname(infl[, 1:4]), cook = unname(cooks.distance(ols)))),
  wls = c(co(wls), list(r2 = summary(wls)$r.squared, sigma = sigma(wls), f = unname(summary(wls)$fstatistic[1]),
    hc3 = sqrt(diag(vcovHC(wls, "HC3"))), p = unname(predict(wls, new, interval = "prediction", weights = c(1, 1))))),
  gam = c(co(gam), link(gam), list(deviance = deviance(gam), null = gam$null.deviance, dispersion = summary(gam)$dispersion,
    shape = gamma.shape(gam, it.lim = 100, eps.max = 1e-12)$alpha, hc3 = sqrt(diag(vcovHC(gam, "HC3"))),
    vif = car::vif(gam)[, 1])),
  bin = c(co(bin), link(bin), list(deviance = deviance(bin), null = bin$null.deviance, hc3 = sqrt(diag(vcovHC(bin, "HC3"))))),
  bik = c(co(bik), link(bik), list(deviance = deviance(bik), null = bik$null.deviance, cook = unname(cooks.distance(bik)))),
  poi = c(co(poi), link(poi), list(deviance = deviance(poi), null = poi$null.deviance,
    pearson = sum(residuals(poi, "pearson")^2))),
  neg = c(co(neg), link(neg), list(deviance = deviance(neg), theta = neg$theta, se_theta = neg$SE.theta)),
  mix = c(co(mix), list(sigma = sigma(mix), tau = unname(attr(VarCorr(mix)$h, "stddev")),
    known = unname(predict(mix, new[1, ])), fresh = unname(predict(mix, new[2, ], allow.new.levels = TRUE)),
    effects = ranef(mix)$h[, 1])),
  q50 = quan(.5), q90 = quan(.9))
cat(jsonlite::toJSON(out, digits = I(15), auto_unbox = TRUE, pretty = FALSE), "\n")
