# Reference values for the REML engine of ar1_level_change: nlme::gls on simulated and real series.
# Run from the root of the repository:
#   Rscript tests/reference/comparisons_gls.R ../shared/data > tests/reference/comparisons_gls.json
# R 4.2.2, nlme 3.1-162. Simulated values are written out (rounded to 6 digits before fitting); of the
# real series only the results.
library(nlme)
data_folder <- commandArgs(trailingOnly = TRUE)[1]
num <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE), collapse = ", "), "]")
one <- function(x) format(x, digits = 12)
control <- glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-11, msTol = 1e-13)

fit <- function(name, y, n1, time = seq_along(y), w = rep(1, length(y)), noise = FALSE, values = TRUE) {
  n <- length(y)
  d <- data.frame(y = y, t = time, w = w, step = as.numeric(seq_len(n) > n1))
  d$side <- factor(d$step)
  d$inv <- mean(w) / w                      # weights scaled to mean 1
  unit <- all(w == w[1])
  scale <- if (unit) varIdent(form = ~ 1 | side) else
    varComb(varIdent(form = ~ 1 | side), varFixed(~ inv))
  if (noise) cor <- corExp(c(8, 0.4), form = ~ t, nugget = TRUE)
  else if (all(diff(time) == 1)) cor <- corAR1(0.3, form = ~ 1)
  else cor <- corCAR1(0.3, form = ~ t)
  m <- gls(y ~ step, data = d, correlation = cor, weights = scale, method = "REML", control = control)
  co <- coef(m$modelStruct$corStruct, unconstrained = FALSE)
  vs <- m$modelStruct$varStruct
  ratio <- if (unit) coef(vs, unconstrained = FALSE) else coef(vs[[1]], unconstrained = FALSE)
  rho <- if (noise) exp(-1 / co[[1]]) else co[[1]]
  v <- if (noise) co[[2]] else 0
  cat(sprintf('  {"name": "%s", "n_before": %d, %s"noise_fit": %s, "estimate": %s, "se": %s, "sigma": %s, "spread": %s, "rho": %s, "noise": %s, "loglik": %s}',
    name, n1,
    if (values) sprintf('"values": %s, "time": %s, "weights": %s, ', num(y), num(time), num(w)) else "",
    if (noise) "true" else "false", one(coef(m)[[2]]), one(sqrt(m$varBeta[2, 2])), one(m$sigma),
    one(ratio[[1]]), one(rho), one(v), one(as.numeric(logLik(m)))))
}

ar <- function(n, rho) as.numeric(arima.sim(list(ar = rho), n, rand.gen = function(k) rnorm(k) * sqrt(1 - rho^2)))
cat("[\n")
set.seed(20240501)
y <- round(ar(60, 0.4) + rep(c(0, 0.8), each = 30), 6); fit("30 and 30, rho 0.4", y, 30); cat(",\n")
y <- round(c(ar(100, 0.6), 1.7 * ar(20, 0.6) + 1), 6); fit("100 and 20, unequal spread", y, 100); cat(",\n")
y <- round(100 + 7 * ar(200, 0.2), 6); fit("100 and 100, rho 0.2, no change", y, 100); cat(",\n")
y <- round(ar(90, -0.3), 6); fit("negative rho", y, 50); cat(",\n")
w <- c(5, 3, 8, 2, 9, 4, 6, 7, 3, 5); w <- rep(w, 8)
y <- round(ar(80, 0.5) / sqrt(w) * 2 + 10 + rep(c(0, -1), each = 40), 6); fit("weights", y, 40, w = w); cat(",\n")
keep <- sort(sample(100, 70)); full <- ar(100, 0.7)
y <- round(full[keep] + (keep > 55), 6); fit("gaps", y, sum(keep <= 55), time = keep); cat(",\n")
drift <- ar(200, 0.95); y <- round(drift + 0.9 * rnorm(200) + rep(c(0, 0.5), each = 100), 6)
fit("drift plus noise", y, 100, noise = TRUE); cat(",\n")
drift <- ar(160, 0.9); y <- round(c(1, 1.5)[1 + (1:160 > 80)] * (drift + 0.7 * rnorm(160)), 6)
fit("drift plus noise, unequal spread", y, 80, noise = TRUE); cat(",\n")
keep <- sort(sample(220, 150)); full <- ar(220, 0.95)
y <- round(full[keep] + 0.8 * rnorm(150), 6); fit("drift plus noise, gaps", y, 75, time = keep, noise = TRUE); cat(",\n")

v <- read.csv(file.path(data_folder, "spc", "viscosity.csv"))
fit("viscosity", v$viscosity, 20, values = FALSE); cat(",\n")
a <- read.csv(gzfile(file.path(data_folder, "nhs_ae_attendances.csv.gz")))
a <- a[a$type == "1", ]
m <- aggregate(cbind(attendances, breaches) ~ period, a, sum); m <- m[order(m$period), ]
fit("nhs type 1 attainment", 1 - m$breaches / m$attendances, 18, w = m$attendances, values = FALSE); cat(",\n")
f <- read.csv(gzfile(file.path(data_folder, "features_7digital.csv.gz")))
f$Done <- as.Date(f$Done, "%d/%m/%Y")
f <- f[!is.na(f$Done) & !is.na(f$Cycle.Time) & f$Cycle.Time > 0, ]
f$month <- format(f$Done, "%Y-%m")
g <- aggregate(log(Cycle.Time) ~ month, f, mean); k <- aggregate(Cycle.Time ~ month, f, length)
g <- g[order(g$month), ]; k <- k[order(k$month), ]
fit("7digital monthly mean log cycle time", g[[2]], sum(g$month < "2011-01"), w = k[[2]], values = FALSE)
cat("\n]\n")
