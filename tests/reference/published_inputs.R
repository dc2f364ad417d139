# Control charts of the published inputs, by formulas written out in base R (no chart package):
#   Rscript tests/reference/published_inputs.R PUBLISHED_INPUTS.json > tests/reference/published_inputs.json
# The inputs are not part of this project (see examples/README.md); the numbers made of them are.
# tests/spc/test_published_inputs.py compares them with ours.
suppressMessages(library(jsonlite))
inputs <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = FALSE)
num <- function(x) as.numeric(unlist(x))
rows <- function(x) lapply(x, num)

# constants of the normal range and standard deviation; the range from its own integral, since ptukey()
# keeps no more than nine digits for large n
tail_of <- function(n) Vectorize(function(w) {
  f <- function(x) n * dnorm(x) * (pnorm(x + w) - pnorm(x))^(n - 1)
  1 - integrate(f, -9, 9, rel.tol = 1e-12, subdivisions = 1000)$value
})
moment <- function(f) integrate(f, 0, 16, rel.tol = 1e-12, subdivisions = 1000)$value
range_constants <- local({
  known <- list()
  function(n) {
    key <- as.character(n)
    if (is.null(known[[key]])) {
      u <- tail_of(n); mean <- moment(u)
      known[[key]] <<- c(mean, sqrt(moment(function(w) 2 * w * u(w)) - mean^2))
    }
    known[[key]]
  }
})
d2 <- Vectorize(function(n) range_constants(n)[1])
d3 <- Vectorize(function(n) range_constants(n)[2])
c4 <- function(n) sqrt(2 / (n - 1)) * exp(lgamma(n / 2) - lgamma((n - 1) / 2))
# first, last, largest and sum of each column: enough to compare, and the data stay where they are
told <- function(columns, beyond)
  c(lapply(columns, function(x) c(x[1], x[length(x)], max(x), sum(x))), if (!is.null(beyond)) list(beyond = I(beyond)))
lines <- function(value, center, se, floor = -Inf, ceiling = Inf) {
  lower <- pmax(center - 3 * se, floor); upper <- pmin(center + 3 * se, ceiling)
  told(list(value = value, center = rep_len(center, length(value)), lower = rep_len(lower, length(value)),
            upper = rep_len(upper, length(value))), which(value < lower | value > upper) - 1)
}

subgroups <- function(g, new = NULL) {
  all <- c(g, new); n <- lengths(g); m <- lengths(all)
  center <- mean(unlist(g))
  range_of <- function(x) diff(range(x))
  r <- sapply(g, range_of); s <- sapply(g, sd)
  weight_r <- (d2(n) / d3(n))^2; weight_s <- c4(n)^2 / (1 - c4(n)^2)
  free <- sum(n - 1); pooled <- sqrt(sum((n - 1) * s^2) / free)
  # (Burr 1969: the weights of the best linear estimate; Montgomery's pooled s-bar for unequal sizes)
  sigma <- list(
    xbar_r = sum(weight_r * r / d2(n)) / sum(weight_r), unweighted_mean_range = mean(r / d2(n)),
    weighted_standard_deviation = sum(weight_s * s / c4(n)) / sum(weight_s),
    unweighted_standard_deviation = mean(s / c4(n)), pooled_standard_deviation = pooled / c4(free + 1))
  bar <- if (length(unique(n)) == 1) mean(s) else pooled
  out <- list(mean = center, sigma = sigma, s_bar = bar)
  out$xbar_r <- lines(sapply(all, mean), center, sigma$xbar_r / sqrt(m))
  out$range <- lines(sapply(all, range_of), d2(m) * sigma$xbar_r, d3(m) * sigma$xbar_r, 0)
  out$xbar_s <- lines(sapply(all, mean), center, bar / c4(m) / sqrt(m))
  out$deviation <- lines(sapply(all, sd), rep(bar, length(m)), bar / c4(m) * sqrt(1 - c4(m)^2), 0)
  medians <- sapply(g, median)
  spread <- Vectorize(function(k) { # sd of the median of k standard normal values, k odd
    j <- (k + 1) / 2
    f <- function(x) x^2 * exp(lfactorial(k) - 2 * lfactorial(j - 1) + (j - 1) * (pnorm(x, log.p = TRUE) +
      pnorm(-x, log.p = TRUE)) + dnorm(x, log = TRUE))
    sqrt(2 * integrate(f, 0, 12, rel.tol = 1e-11)$value)
  })
  if (all(m %% 2 == 1))
    out$median <- lines(sapply(all, median), mean(medians), sigma$xbar_r * spread(m))
  out
}

individuals <- function(x, new = NULL) {
  mr <- abs(diff(x)); sigma <- mean(mr) / d2(2); all <- c(x, new)
  out <- list(moving_range = sigma, median_moving_range = median(mr) / (sqrt(2) * qnorm(.75)),
              standard_deviation = sd(x) / c4(length(x)))
  out$individuals <- lines(all, mean(x), sigma)
  n <- length(all)
  # EWMA with lambda 0.2, exact limits (Montgomery, eqs. 9.22 to 9.26), started at the mean
  z <- Reduce(function(a, b) 0.2 * b + 0.8 * a, all, accumulate = TRUE, mean(x))[-1]
  out$ewma <- lines(z, mean(x), sigma * sqrt(0.2 / 1.8 * (1 - 0.8^(2 * seq_len(n)))))
  # tabular CUSUM with k = 1/2 (Montgomery, eqs. 9.2 and 9.3)
  up <- Reduce(function(a, b) max(0, b - mean(x) - sigma / 2 + a), all, accumulate = TRUE, 0)[-1]
  down <- Reduce(function(a, b) max(0, mean(x) - b - sigma / 2 + a), all, accumulate = TRUE, 0)[-1]
  out$cusum <- c(told(list(up = up, down = down), which(pmax(up, down) > 5 * sigma) - 1), h = 5 * sigma)
  out$moving_average <- {
    w <- pmin(seq_len(n), 5); a <- sapply(seq_len(n), function(i) mean(all[(i - w[i] + 1):i]))
    lines(a, mean(x), sigma / sqrt(w))
  }
  out
}

shares <- function(count, size, new_count = NULL, new_size = NULL) {
  p <- sum(count) / sum(size); N <- c(size, new_size); D <- c(count, new_count); s <- sqrt(p * (1 - p) / N)
  z <- (count / size - p) / sqrt(p * (1 - p) / size); sigma_z <- mean(abs(diff(z))) / d2(2)
  list(p = lines(D / N, p, s, 0, 1), np = lines(D, p * N, s * N, 0, N), sigma_z = sigma_z,
       laney_p = lines(D / N, p, s * sigma_z, 0, 1),
       exact = told(list(lower = qbinom(pnorm(-3), N, p) / N, upper = qbinom(pnorm(3), N, p) / N), NULL))
}

rates <- function(count, size, new_count = NULL, new_size = NULL) {
  u <- sum(count) / sum(size); N <- c(size, new_size); D <- c(count, new_count); s <- sqrt(u / N)
  z <- (count / size - u) / sqrt(u / size); sigma_z <- mean(abs(diff(z))) / d2(2)
  list(u = lines(D / N, u, s, 0), sigma_z = sigma_z, laney_u = lines(D / N, u, s * sigma_z, 0),
       exact = told(list(lower = qpois(pnorm(-3), u * N) / N, upper = qpois(pnorm(3), u * N) / N), NULL))
}

out <- list()
for (key in c("757d83152d57", "910dabfbc0bb", "25b1f9a1a66e")) out[[key]] <- subgroups(rows(inputs[[key]]$subgroups))
both <- inputs[["f2406c3a3e5e"]]
out[["f2406c3a3e5e"]] <- subgroups(rows(both$subgroups), rows(both[[2]]))
for (key in c("91aecb84cbb5", "70b18a631923", "d45291283d81", "149bcefd84f7", "4d81092ef8c3", "b219c965348c"))
  out[[key]] <- individuals(num(inputs[[key]]$values))
out[["675d73c92cbc"]] <- individuals(num(inputs[["675d73c92cbc"]]$x))
out[["6669cbd53267"]] <- individuals(num(inputs[["6669cbd53267"]]$values), num(inputs[["6669cbd53267"]]$new_values))
for (key in c("260ff85bf497", "d94b028c0167", "c8520ce53b18", "2a0e4e681d3b", "cdfb0cd112e4")) {
  d <- inputs[[key]]
  out[[key]] <- shares(num(d$counts), num(d$sizes), num(d$new_counts), num(d$new_sizes))
}
for (key in c("62461f4b6849", "0ec95d3b4c45", "c17ea3877aa8", "3865f799769c", "8ae68d65e025", "80aaafa0d663", "ab1955dc2cfe")) {
  d <- inputs[[key]]
  size <- if (is.null(d$sizes)) rep(1, length(d$counts)) else num(d$sizes)
  new <- num(d$new_counts)
  out[[key]] <- rates(num(d$counts), size, new, rep(1, length(new)))
}
# geometric g charts (Benneyan 2001) and Nelson's t charts; zeros have no logarithm but have a power
for (key in c("fa1b94f2b700", "6c4376737a48", "abb9ec447cc5")) {
  x <- num(inputs[[key]]$values); m <- mean(x)
  y <- x^(1 / 3.6); s <- mean(abs(diff(y))) / d2(2)
  out[[key]] <- list(g = lines(x, m, sqrt(m * (m + 1)), 0), exact_upper = qgeom(pnorm(3), 1 / (1 + m)),
    t = list(center = mean(y)^3.6, lower = max(0, mean(y) - 3 * s)^3.6, upper = (mean(y) + 3 * s)^3.6))
}
# I' by Taylor: one sigma for a denominator of 1
d <- inputs[["b3c096557976"]]; a <- num(d$numerators); b <- num(d$denominators)
x <- a / b; center <- sum(a) / sum(b); n <- length(x)
sigma <- mean(abs(diff(x)) / sqrt(1 / b[-1] + 1 / b[-n])) / (2 / sqrt(2 * pi))
out[["b3c096557976"]] <- list(sigma = sigma, i_prime = lines(x, center, sigma / sqrt(b)))
# Hotelling: subgroups pooled within, single rows with the sample covariance
d <- inputs[["a7d41f70c61c"]]; x1 <- rows(d$X1); x2 <- rows(d$X2)
m1 <- sapply(x1, mean); m2 <- sapply(x2, mean); k <- length(x1); n <- 4
S <- matrix(c(mean(sapply(x1, var)), rep(mean(mapply(cov, x1, x2)), 2), mean(sapply(x2, var))), 2)
dev <- cbind(m1 - mean(m1), m2 - mean(m2))
out[["a7d41f70c61c"]] <- list(T2 = told(list(value = n * rowSums((dev %*% solve(S)) * dev)), NULL))
for (key in c("4645456c0838", "c220c3f8506e")) {
  X <- do.call(rbind, rows(inputs[[key]]$X)); dev <- sweep(X, 2, colMeans(X)); m <- nrow(X); p <- ncol(X)
  out[[key]] <- list(T2 = told(list(value = rowSums((dev %*% solve(cov(X))) * dev)), NULL),
    upper = (m - 1)^2 / m * qbeta(1 - 2 * pnorm(-3), p / 2, (m - p - 1) / 2))
}
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = FALSE), "\n")
