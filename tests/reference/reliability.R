# Reference numbers of tests/models/test_lifetimes.py and test_growth.py. R 4, survival, base R.
library(survival)
options(digits = 12)
time <- c(54, 187, 216, 240, 244, 335, 361, 373, 375, 386, rep(500, 10))
event <- c(rep(1, 10), rep(0, 10))
w <- survreg(Surv(time, event) ~ 1, dist = "weibull")
cat("weibull shape, scale, loglik", 1 / w$scale, exp(coef(w)), w$loglik[1], "\n")
cat("se of log scale parameter, log(sigma)", sqrt(diag(vcov(w))), "\n")
l <- survreg(Surv(time, event) ~ 1, dist = "lognormal")
cat("lognormal", coef(l), l$scale, l$loglik[1], "\n")
s <- survfit(Surv(time, event) ~ 1, conf.type = "log-log")
print(summary(s, times = c(54, 244, 386)))
print(cbind(s$time, s$surv, s$lower, s$upper)[c(1, 5, 10), ])

gaps <- c(9, 12, 11, 4, 7, 2, 5, 8, 5, 7, 1, 6, 1, 9, 4, 1, 3, 3, 6, 1, 11, 33, 7, 91, 2, 1)
t <- cumsum(gaps); n <- length(t); T <- t[n]
go <- function(p) { a <- exp(p[1]); b <- exp(p[2]); -(n * log(a * b) - b * sum(t) - a * (1 - exp(-b * T))) }
ds <- function(p) { a <- exp(p[1]); b <- exp(p[2])
  -(n * log(a) + 2 * n * log(b) + sum(log(t)) - b * sum(t) - a * (1 - (1 + b * T) * exp(-b * T))) }
mo <- function(p) { l0 <- exp(p[1]); th <- exp(p[2]); -(sum(log(l0 / (1 + l0 * th * t))) - log(1 + l0 * th * T) / th) }
fit <- function(f, s) { o <- optim(s, f, control = list(reltol = 1e-14, maxit = 5000), hessian = TRUE)
  o <- optim(o$par, f, control = list(reltol = 1e-15, maxit = 5000), hessian = TRUE); o }
for (x in list(list("go", go, c(3.5, -5)), list("delayed S", ds, c(3.3, -4)), list("musa-okumoto", mo, c(-1.6, -3)))) {
  o <- fit(x[[2]], x[[3]])
  cat(x[[1]], exp(o$par), "se", exp(o$par) * sqrt(diag(solve(o$hessian))), "loglik", -o$value, "\n")
}
# profile likelihood of the expected remaining failures r = a exp(-b T), Goel-Okumoto
o <- fit(go, c(3.5, -5))
prof <- function(r) -optimize(function(lb) { b <- exp(lb); go(c(log(r) + b * T, lb)) }, c(-12, -2), tol = 1e-12)$objective
cut <- -o$value - qchisq(.95, 1) / 2
cat("remaining", exp(o$par[1]) * exp(-exp(o$par[2]) * T),
    uniroot(function(r) prof(r) - cut, c(0.1, 7), tol = 1e-10)$root,
    uniroot(function(r) prof(r) - cut, c(9, 1000), tol = 1e-8)$root, "\n")
# grouped counts, Goel-Okumoto and Weibull
cum <- c(27, 43, 54, 64, 75, 82, 84, 89, 92, 93, 97, 104, 106, 111, 116, 122, 122, 127, 128, 129, 131, 132, 134, 135, 136)
k <- diff(c(0, cum)); e <- 0:25
gg <- function(p) { m <- exp(p[1]) * (1 - exp(-exp(p[2]) * e)); -sum(dpois(k, diff(m), log = TRUE)) }
gw <- function(p) { m <- exp(p[1]) * (1 - exp(-(e * exp(p[2]))^exp(p[3]))); -sum(dpois(k, diff(m), log = TRUE)) }
o <- fit(gg, c(5, -2)); cat("grouped go", exp(o$par), -o$value, "\n")
o <- fit(gw, c(5, -2, -.3)); cat("grouped weibull", exp(o$par[1]), exp(-o$par[2]), exp(o$par[3]), -o$value, "\n")
# exact interval of the MTBF, power law, time truncated (Crow 1982), by modified Bessel functions
tt <- c(5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478); v <- sum(log(1500 / tt))
pk <- function(x, kk) exp(kk * log(x) - lgamma(kk + 1) - lgamma(kk) - (log(besselI(2 * sqrt(x), 1, TRUE)) + 2 * sqrt(x)) - log(x) / 2)
up <- uniroot(function(x) sum(pk(x, 1:10)) - .1, c(20, 2000), tol = 1e-10)$root
lo <- uniroot(function(x) 1 - sum(pk(x, 1:9)) - .1, c(1, 2000), tol = 1e-10)$root
cat("crow 80%", 1500 * v / up, 1500 * v / lo, "\n")
cat("shape 80%", qchisq(c(.1, .9), 20) / (2 * v), "\n")
