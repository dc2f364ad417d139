# Capability by the printed formulas, base R; data typed or read from the shared piston rings.
x <- c(11.5110511753936, 8.29856388741617, 16.690448839138, 14.0582715355147, 13.4986923141821, 12.5564239769566,
 14.7014191881364, 13.2608638754875, 14.3933033262419, 17.3214849564707, 12.3237522200877, 11.3710393840687,
 16.5553396718824, 13.2568159221336, 12.7286125812286, 16.4644470845767, 17.7833103632241, 13.2053725015493,
 11.5855770923609, 4.23922163180593, 18.0757191876772, 11.9960130897672, 7.51470918929383, 9.51534065485936,
 6.10143637981442, 7.39164520103033, 4.60412727123243, 9.56603322356923, 3.30872925495688, 3.64167164867581,
 2.16140923882372, 3.59820089955023, 6.84896758155343, 2.991120112167, 3.58182225207074, 6.34637081609629)
L <- 0; U <- 20; T <- 10; n <- length(x); s <- sd(x); w <- mean(abs(diff(x))) / (2 / sqrt(pi)); m <- mean(x)
one <- function(s, df) { cp <- (U - L) / 6 / s; k <- min(U - m, m - L) / 3 / s
  h <- qnorm(.975) * sqrt(1 / 9 / n + k^2 / 2 / df)
  c(cp, cp * sqrt(qchisq(c(.025, .975), df) / df), k, k - h, k + h) }
cat("within ", sprintf("%.10f", one(w, .62 * (n - 1))), "\n"); cat("overall", sprintf("%.10f", one(s, n - 1)), "\n")
tau <- sqrt(mean((x - T)^2)); xi <- (m - T) / s; nu <- n * (1 + xi^2)^2 / (1 + 2 * xi^2); c0 <- (U - L) / 6 / tau
cat("cpm", sprintf("%.10f", c(c0, c0 * sqrt(qchisq(c(.025, .975), nu) / nu))), "\n")
p <- pnorm((L - m) / s) + 1 - pnorm((U - m) / s); cat("ppm, z", sprintf("%.10f", c(1e6 * p, -qnorm(p))), "\n")
lambda <- function(l) { y <- if (abs(l) < 1e-9) log(x) else (x^l - 1) / l; -n / 2 * log(mean((y - mean(y))^2)) + (l - 1) * sum(log(x)) }
cat("box-cox", sprintf("%.7f", optimize(lambda, c(-5, 5), maximum = TRUE, tol = 1e-10)$maximum), "\n")
# distributions: maximum likelihood by optim on logarithms, observed information by optimHess
y <- c(1.2, 3.4, 0.7, 5.9, 2.2, 8.1, 4.4, 2.9, 1.8, 6.3, 3.1, 12.7); d <- c(1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0)
fit <- function(dens, surv, start, ev = rep(1, 12)) {
  f <- function(p) -sum(ifelse(ev == 1, dens(y, p), surv(y, p)))
  o <- optim(start, f, control = list(reltol = 1e-16, maxit = 20000)); o <- optim(o$par, f, method = "BFGS", control = list(reltol = 1e-16))
  se <- sqrt(diag(solve(optimHess(o$par, f, control = list(ndeps = rep(1e-4, length(start)))))))
  cat(sprintf("%.8f", o$par), "se", sprintf("%.6f", se), "loglik", sprintf("%.9f", -o$value), "\n") }
W <- list(function(y, p) dweibull(y, p[1], p[2], log = TRUE), function(y, p) pweibull(y, p[1], p[2], lower = FALSE, log = TRUE))
G <- list(function(y, p) dgamma(y, p[1], scale = p[2], log = TRUE), function(y, p) pgamma(y, p[1], scale = p[2], lower = FALSE, log = TRUE))
N <- list(function(y, p) dnorm(y, p[1], p[2], log = TRUE), function(y, p) pnorm(y, p[1], p[2], lower = FALSE, log = TRUE))
LN <- list(function(y, p) dlnorm(y, p[1], p[2], log = TRUE), function(y, p) plnorm(y, p[1], p[2], lower = FALSE, log = TRUE))
for (e in list(rep(1, 12), d)) { fit(W[[1]], W[[2]], c(1.5, 5), e); fit(G[[1]], G[[2]], c(2, 2), e)
  fit(N[[1]], N[[2]], c(4, 3), e); fit(LN[[1]], LN[[2]], c(1, .7), e) }
# Johnson SU, four parameters
j <- c(-1.9, -0.7, 0.1, 0.4, -0.2, 1.3, 3.8, 0.6, -0.5, 0.9, 0.2, -4.1, 0.0, 1.0, -0.9, 2.1, 0.3, -0.3, 0.7, -1.2)
su <- function(p) { u <- (j - p[3]) / exp(p[4]); z <- p[1] + exp(p[2]) * asinh(u); -sum(dnorm(z, log = TRUE) + p[2] - p[4] - .5 * log1p(u^2)) }
o <- optim(c(0, 0, 0, 0), su, control = list(reltol = 1e-16, maxit = 50000)); o <- optim(o$par, su, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))
cat("SU", sprintf("%.6f", c(o$par[1], exp(o$par[2]), o$par[3], exp(o$par[4]))), sprintf("%.8f", -o$value), "\n")
# qcc's documentation: process.capability(qcc(pistonrings[1:25], "xbar"), c(73.95, 74.05)): Cp 1.703 (1.491, 1.914),
# Cp_l 1.743, Cp_u 1.663, Cp_k 1.663, Cpm 1.691
