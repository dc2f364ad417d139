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
