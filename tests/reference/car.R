# Numbers of tests/practices/test_pareto.py, test_check_sheet.py, test_candidate_causes.py (R 4, base only).
options(digits = 12)
# Goodman (1965): simultaneous intervals, from the quadratic equation solved by uniroot
x <- c(56, 72, 73, 59, 62, 87, 58); n <- sum(x); A <- qchisq(1 - 0.05 / length(x), 1)
ends <- t(sapply(x / n, function(p) {
  f <- function(q) (p - q)^2 - A * q * (1 - q) / n
  c(uniroot(f, c(1e-9, p), tol = 1e-13)$root, uniroot(f, c(p, 1 - 1e-9), tol = 1e-13)$root)
}))
print(ends[1:2, ])
# the first against the second
b <- binom.test(60, 90); print(b$p.value); print(b$conf.int / (1 - b$conf.int))
b <- binom.test(35, 60); print(b$p.value)
# a check sheet: standardized (adjusted) residuals
sheet <- matrix(c(12, 5, 8, 20, 6, 9, 4, 7, 15), 3, byrow = TRUE)
t <- chisq.test(sheet, correct = FALSE); print(t$statistic); print(t$p.value); print(t$stdres)
# candidate_causes: CR1 by period, by hand
y <- c(3.1, 4.2, 2.8, 5.9, 6.3, 5.1, 3.6, 4.4, 7.2, 6.8, 3.3, 4.9)
g <- c("a", "a", "b", "b", "c", "c", "a", "b", "c", "c", "a", "b")
u <- c(0.5, 1.5, 0.2, 2.5, 1.1, 0.3, 0.9, 1.2, 2.2, 1.9, 0.1, 1.4)
w <- c(1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5)
X <- model.matrix(~ g + u); fit <- lm(y ~ g + u); e <- residuals(fit)
S <- rowsum(X * e, w); B <- solve(crossprod(X)); G <- 5; n <- 12; p <- 4
V <- G / (G - 1) * (n - 1) / (n - p) * B %*% crossprod(S) %*% B
b <- coef(fit); W <- drop(b[2:3] %*% solve(V[2:3, 2:3]) %*% b[2:3]); q <- 2
F <- W * (G - q) / (q * (G - 1)); print(c(sqrt(diag(V)), W, F, pf(F, q, G - q, lower.tail = FALSE)))
print(summary(fit)$adj.r.squared); print(summary(lm(y ~ g))$adj.r.squared)
# defects by cause and phase: Fisher and Wilson
print(fisher.test(matrix(c(10, 30, 20, 20), 2))$p.value)
p <- 0.25; n <- 40; z <- qnorm(0.975)
print((p + z^2 / (2 * n) + c(-1, 1) * z * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))) / (1 + z^2 / n))
