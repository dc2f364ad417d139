# Reference numbers of tests/models/test_queues.py: balance equations solved as a linear system. R 4, base R.
options(digits = 12)
steady <- function(Q) { A <- rbind(t(Q), 1); qr.solve(A, c(rep(0, nrow(Q)), 1)) }
# M/M/2/5, arrivals 3, service 1 each
lam <- 3; mu <- 1; c <- 2; K <- 5
Q <- matrix(0, K + 1, K + 1)
for (i in 0:K) { if (i < K) Q[i + 1, i + 2] <- lam; if (i > 0) Q[i + 1, i] <- min(i, c) * mu }
diag(Q) <- -rowSums(Q); p <- steady(Q)
lq <- sum(pmax(0:K - c, 0) * p)
cat("M/M/2/5 blocked, wait of those let in", p[K + 1], lq / (lam * (1 - p[K + 1])), "\n")
# not preemptive priority, M/M/2, two classes: state (in service, class 1 waiting, class 2 waiting), cut at N waiting
prio <- function(l1, l2, c, N, preempt) {
  if (!preempt) {
    id <- function(b, i, j) if (b < c) b + 1 else c + 1 + i * (N + 1) + j
    n <- c + (N + 1)^2; Q <- matrix(0, n, n)
    add <- function(f, t, r) Q[f, t] <<- Q[f, t] + r
    for (b in 0:(c - 1)) { add(id(b, 0, 0), if (b + 1 < c) id(b + 1, 0, 0) else id(c, 0, 0), l1 + l2)
      if (b > 0) add(id(b, 0, 0), id(b - 1, 0, 0), b) }
    for (i in 0:N) for (j in 0:N) { f <- id(c, i, j)
      if (i < N) add(f, id(c, i + 1, j), l1); if (j < N) add(f, id(c, i, j + 1), l2)
      t <- if (i > 0) id(c, i - 1, j) else if (j > 0) id(c, i, j - 1) else id(c - 1, 0, 0)
      add(f, t, c) }
    diag(Q) <- -rowSums(Q); p <- steady(Q)
    w <- c(0, 0); for (i in 0:N) for (j in 0:N) w <- w + c(i, j) * p[id(c, i, j)]
    return(w / c(l1, l2))
  }
  id <- function(i, j) i * (N + 1) + j + 1            # numbers in the system
  n <- (N + 1)^2; Q <- matrix(0, n, n)
  for (i in 0:N) for (j in 0:N) { f <- id(i, j)
    if (i < N) Q[f, id(i + 1, j)] <- l1; if (j < N) Q[f, id(i, j + 1)] <- l2
    s1 <- min(i, c); s2 <- min(j, c - s1)
    if (s1) Q[f, id(i - 1, j)] <- s1; if (s2) Q[f, id(i, j - 1)] <- s2 }
  diag(Q) <- -rowSums(Q); p <- steady(Q)
  l <- c(0, 0); for (i in 0:N) for (j in 0:N) l <- l + c(i, j) * p[id(i, j)]
  l / c(l1, l2) - 1
}
cat("not preemptive", prio(0.5, 0.6, 2, 27, FALSE), "\n")
cat("preemptive", prio(0.5, 0.6, 2, 27, TRUE), "\n")
# Erlang A, M/M/c+M, cut at N: balance equations; wait offered to who finds all busy, by the hypoexponential law of the
# embedded pure death process (matrix exponential by uniformization)
impatient <- function(lam, mu, c, th, N, t) {
  n <- 0:N; death <- pmin(n, c) * mu + pmax(n - c, 0) * th
  p <- cumprod(c(1, lam / death[-1])); p <- p / sum(p)
  lq <- sum(pmax(n - c, 0) * p)
  k <- N - c + 1                                       # waiting room: who finds j waiting passes j + 1 stages
  rates <- c * mu + (0:(k - 1)) * th; u <- max(rates) + th
  # stay: alive and still patient while stages j, j - 1, ... 0 are passed; begun: passed stage 0 before giving up
  P <- matrix(0, k + 1, k + 1); P[1, 1] <- 1
  for (j in 1:k) { P[j + 1, j] <- rates[j] / u; P[j + 1, j + 1] <- 1 - (rates[j] + th) / u }
  v <- c(0, p[(c + 1):(N + 1)]); out <- 0 * v; w <- dpois(0:2000, u * t)
  for (i in 0:2000) { out <- out + w[i + 1] * v; v <- as.vector(v %*% P) }
  c(p_wait = sum(p[n >= c]), p_abandon = th * lq / lam, wait = lq / lam, begun = sum(p[n < c]) + out[1], longer = sum(out[-1]))
}
print(impatient(48, 1, 50, 0.5, 260, 1 / 3)); print(impatient(6, 1, 4, 0.25, 160, 0.5))
