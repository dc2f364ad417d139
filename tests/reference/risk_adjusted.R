# Numbers of tests/spc/test_risk_adjusted.py, from base R: no package for risk-adjusted CUSUMs is in Debian.
# Scores: Steiner, Cook, Farewell and Treasure (2000), Biostatistics 1, p. 446; Steiner (2014), p. 234.
p <- function(s, a = -3.68, b = 0.077) 1 / (1 + exp(-a - b * s))
w <- function(y, p, R) y * log(R) - log(1 - p + R * p)
print(round(c(w(0, p(0), 2), w(1, p(0), 2), w(0, p(50), 2), w(1, p(50), 2)), 3))
print(round(c(w(0, p(0), .5), w(1, p(0), .5), w(0, p(50), .5), w(1, p(50), .5)), 3))
# both sums and the display of ten cases
y <- c(0, 0, 1, 0, 1, 1, 0, 0, 1, 0); r <- c(.05, .1, .2, .08, .3, .15, .5, .02, .12, .4)
up <- Reduce(function(c, k) max(0, c + w(y[k], r[k], 2)), seq_along(y), 0, accumulate = TRUE)[-1]
down <- Reduce(function(c, k) max(0, c + w(y[k], r[k], .5)), seq_along(y), 0, accumulate = TRUE)[-1]
print(up, digits = 10); print(down, digits = 10); print(cumsum(r - y), digits = 10)
# restarted behind each signal, h = 1
c0 <- 0; out <- numeric(0)
for (k in seq_along(y)) { c0 <- max(0, c0 + w(y[k], r[k], 2)); out <- c(out, c0); if (c0 > 1) c0 <- 0 }
print(out, digits = 10)
# calibrated odds: offset model
print(exp(coef(glm(y ~ 1, offset = qlogis(r), family = binomial))), digits = 10)
# run length: a Markov chain on a grid of h / 1000 with paired rounding, written out state by state
arl <- function(r, share, R, h, RQ = 1, m = 1000) {
  d <- h / m; Q <- matrix(0, m, m); q <- RQ * r / (1 - r + RQ * r)
  for (k in seq_along(r)) for (e in 0:1) {
    s <- w(e, r[k], R) / d; f <- floor(s); pr <- share[k] * (if (e) q[k] else 1 - q[k])
    for (i in 0:(m - 1)) for (x in 0:1) {
      j <- max(0, i + f + x); if (j < m) Q[i + 1, j + 1] <- Q[i + 1, j + 1] + pr * (if (x) s - f else 1 - s + f)
    }
  }
  solve(diag(m) - Q, rep(1, m))[1]
}
mix <- c(.01, .03, .06, .1, .18, .33); share <- c(.25, .25, .2, .15, .1, .05)
print(c(arl(mix, share, 2, 2.9), arl(mix, share, .5, 2.5), arl(mix, share, 2, 2.9, 2)), digits = 8)
