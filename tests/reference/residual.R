# AR models by Burg's method and one-step errors, with base R, typed into tests/spc/test_residual.py and
# tests/core/test_dependence.py:  Rscript tests/reference/residual.R
options(digits = 12)
d2 <- 2 / sqrt(pi)

# luteinizing hormone, 48 points (MASS, section 14.2: order 3 by AIC; 0.6588, -0.0608, -0.2234; variance 0.1786)
fit <- ar.burg(lh)
cat("lh order", fit$order, "ar", fit$ar, "var", fit$var.pred, "mean", fit$x.mean, "\n")
all <- ar.burg(lh, aic = FALSE, order.max = 5)
cat("lh partial", all$partialacf, "\n")
n <- length(lh); v <- mean((lh - mean(lh))^2) * cumprod(c(1, 1 - as.vector(all$partialacf)^2)); k <- 0:5 + 2
cat("aic", n * log(v) + 2 * k, "\naicc", n * log(v) + 2 * k * n / (n - k - 1), "\nbic", n * log(v) + k * log(n), "\n")

# one-step errors of a model, the first points from the best predictors of fewer: by the normal law itself
innovations <- function(x, phi, mean) {
  n <- length(x); rho <- ARMAacf(phi, lag.max = n); s <- toeplitz(rho[1:n])
  gamma0 <- 1 / (1 - sum(phi * rho[1 + seq_along(phi)]))  # in variances of the errors
  center <- wide <- numeric(n)
  for (i in 1:n) {
    if (i == 1) { center[i] <- mean; wide[i] <- sqrt(gamma0); next }
    b <- solve(s[1:(i - 1), 1:(i - 1)], s[1:(i - 1), i])
    center[i] <- mean + sum(b * (x[1:(i - 1)] - mean)); wide[i] <- sqrt(gamma0 * (1 - sum(b * s[1:(i - 1), i])))
  }
  list(center = center, wide = wide, error = (x - center) / wide)
}
p3 <- ar.burg(lh, aic = FALSE, order.max = 3)
one <- innovations(as.numeric(lh), p3$ar, mean(lh))
cat("lh3 center", one$center[c(1:5, 48)], "\nwide", one$wide[1:5], "\n")
sigma <- mean(abs(diff(one$error))) / d2
cat("sigma", sigma, "sd", sqrt(sum(one$error^2) / (48 - 1 - 3)), "median mr", median(abs(diff(one$error))), "\n")
z <- one$error / sigma
cat("z", z[c(1:4, 48)], "max", max(abs(z)), which.max(abs(z)), "\n")
q <- Box.test(one$error, 10, "Ljung-Box", fitdf = 3); 
r <- sapply(1:10, function(k) sum(one$error[-(1:k)] * head(one$error, -k)) / sum(one$error^2))
Q <- 48 * 50 * sum(r^2 / (48 - 1:10)); cat("portmanteau", Q, pchisq(Q, 7, lower.tail = FALSE), "\n")

# two stretches, 1 to 20 and 22 to 48: errors of both together (de Waele and Broersen 2000)
x <- as.numeric(lh); mu <- mean(x[-21]); parts <- list(x[1:20] - mu, x[22:48] - mu)
f <- parts; b <- parts; k <- numeric(0)
for (m in 1:3) {
  top <- sum(mapply(function(f, b) sum(f[-1] * b[-length(b)]), f, b))
  low <- sum(mapply(function(f, b) sum(f[-1]^2 + b[-length(b)]^2), f, b))
  k[m] <- 2 * top / low
  nf <- mapply(function(f, b) f[-1] - k[m] * b[-length(b)], f, b, SIMPLIFY = FALSE)
  b <- mapply(function(f, b) b[-length(b)] - k[m] * f[-1], f, b, SIMPLIFY = FALSE); f <- nf
}
cat("two stretches", k, "\n")
