# Numbers of tests/real/test_real_data.py: Rscript real_data.R FOLDER (the folder of the real data sets). R 4, survival, base R.
suppressMessages(library(survival)); options(digits = 12)
folder <- commandArgs(TRUE)[1]
at <- function(...) file.path(folder, ...)

# effort
d <- read.csv(at("effort", "nasa93.csv"))
rate <- c(vl = -2, l = -1, n = 0, h = 1, vh = 2, xh = 3)
for (k in c("time", "stor", "aexp", "sced")) d[[k]] <- rate[d[[k]]]
m <- lm(log(act_effort) ~ log(equivphyskloc), d)
cat("size:", coef(m), summary(m)$r.squared, "\n")
cat("50 KLOC, 90%:", exp(predict(m, data.frame(equivphyskloc = 50), interval = "prediction", level = 0.9)), "\n")
m <- lm(log(act_effort) ~ log(equivphyskloc) + time + stor + aexp + sced, d)
cat("drivers:", exp(coef(m)), summary(m)$r.squared, summary(m)$sigma, "\n")
h <- hatvalues(m); loo <- fitted(m) - resid(m) * h / (1 - h)
cat("leave one out, R2:", 1 - sum((log(d$act_effort) - loo)^2) / sum((log(d$act_effort) - mean(log(d$act_effort)))^2), "\n")

# tasks
t <- read.csv(gzfile(at("sip_tasks.csv.gz")), fileEncoding = "cp1252"); t <- t[!duplicated(t$TaskNumber), ]
t <- t[t$StatusCode %in% c("COMPLETED", "FINISHED", "CHRONICLE", "RELEASED"), ]
m <- lm(log(HoursActual) ~ log(HoursEstimate), t)
cat("tasks:", nrow(t), coef(m), summary(m)$r.squared, "\n")
cat("7 hours, 90%:", exp(predict(m, data.frame(HoursEstimate = 7), interval = "prediction", level = 0.9)), "\n")

# clusters
f <- unique(read.csv(gzfile(at("lanl_failures.csv.gz"))))
f$start <- as.POSIXct(f$Prob.Started, format = "%m/%d/%Y %H:%M", tz = "UTC")
f$end <- as.POSIXct(f$Prob.Fixed, format = "%m/%d/%Y %H:%M", tz = "UTC")
f <- f[f$end >= f$start, ]; f <- f[order(f$start), ]
stop <- as.POSIXct("2005-09-01", tz = "UTC")
weibull <- function(time, event) { w <- survreg(Surv(time, event) ~ 1, dist = "weibull"); s <- sqrt(vcov(w)[2, 2])
  c(1 / w$scale, exp(-log(w$scale) + c(-1, 1) * qnorm(.975) * s), exp(coef(w)) * gamma(1 + w$scale)) }
for (k in list(c(18, 1024, "2002-05-01"), c(20, 512, "2001-12-01"), c(4, 128, "2003-09-01"), c(9, 256, "2003-09-01"))) {
  begin <- as.POSIXct(k[3], tz = "UTC"); n <- as.integer(k[2])
  p <- f[f$System == as.integer(k[1]) & f$start >= begin & f$start < stop, ]
  first <- as.numeric(difftime(p$start[!duplicated(p$nodenumz)], begin, units = "days"))
  time <- c(first, rep(as.numeric(difftime(stop, begin, units = "days")), n - length(first)))
  cat("system", k[1], length(first), weibull(time, seq_len(n) <= length(first)), "\n")
}
p <- f[f$System == 2 & f$start >= as.POSIXct("2000-01-01", tz = "UTC"), ]
for (q in list(p, p[p$nodenumz == 22, ])) {
  gap <- diff(as.numeric(q$start)) / 3600
  cat("gaps", length(gap), sum(gap == 0), weibull(gap[gap > 0], rep(TRUE, sum(gap > 0)))[1:3], "\n")
}
for (k in list(c(9, "2003-09-01"), c(20, "2001-12-01"), c(23, "1998-02-01"))) {
  begin <- as.POSIXct(k[2], tz = "UTC")
  x <- as.numeric(difftime(f$start[f$System == as.integer(k[1]) & f$start > begin & f$start < stop], begin, units = "days"))
  T <- as.numeric(difftime(stop, begin, units = "days")); n <- length(x)
  b <- n / sum(log(T / x))
  cat("crow", k[1], n, b, b * qchisq(c(.025, .975), 2 * n) / (2 * n), "laplace", (mean(x) - T / 2) / (T / sqrt(12 * n)), "\n")
}
