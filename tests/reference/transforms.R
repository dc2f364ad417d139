# Numbers of tests/spc/test_transforms.py (R 4.2, MASS 7.3, car 3.1).
x <- c(4.2, 7.9, 3.1, 12.5, 5.6, 9.8, 2.4, 6.6, 21.3, 4.9, 8.1, 3.7, 15.2, 6.0, 5.1, 10.4, 2.9, 7.2, 33.8, 4.4,
       6.9, 5.3, 11.7, 3.4, 8.8)
bc <- car::powerTransform(x ~ 1, family = "bcPower")
print(bc$lambda, digits = 9); print(bc$llik, digits = 9)
b <- MASS::boxcox(x ~ 1, lambda = seq(-1, 1, 0.0001), plotit = FALSE)
print(b$x[which.max(b$y)], digits = 9)
yj <- car::powerTransform(x - 10 ~ 1, family = "yjPower")
print(yj$lambda, digits = 9)  # stops at 5e-6; sharper, by its likelihood:
ll <- function(l, v = x - 10) -length(v) / 2 * log(mean((car::yjPower(v, l) - mean(car::yjPower(v, l)))^2)) +
  (l - 1) * sum(sign(v) * log1p(abs(v)))
print(optimize(ll, c(0, 1), maximum = TRUE, tol = 1e-10)$maximum, digits = 9)
print(car::bcPower(c(2.4, 33.8), 0.5), digits = 10)
print(car::yjPower(c(-7.6, 23.8), 0.5), digits = 10)
# individuals chart of the logarithms, back on the original scale
l <- log(x); s <- mean(abs(diff(l))) / (2 / sqrt(pi))
print(exp(c(mean(l), mean(l) - 3 * s, mean(l) + 3 * s)), digits = 10)
# the same on the Box-Cox scale with lambda 0.5
z <- (x^.5 - 1) / .5; s <- mean(abs(diff(z))) / (2 / sqrt(pi)); at <- c(mean(z), mean(z) - 3 * s, mean(z) + 3 * s)
print(c(at, s), digits = 10); print((pmax(0, .5 * at + 1))^2, digits = 10)
