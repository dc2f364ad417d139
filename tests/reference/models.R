# Numbers of tests/models: run with Rscript models.R (R 4.2.2)
options(digits = 12)
d <- data.frame(
  y = c(3.1, 4.7, 2.2, 8.9, 6.5, 12.4, 5.2, 7.7, 9.1, 15.8, 4.4, 6.9, 11.3, 18.2),
  x = c(1.0, 2.0, 1.5, 4.0, 3.0, 5.5, 2.5, 3.5, 4.5, 7.0, 2.2, 3.1, 5.0, 8.0),
  g = c("a","b","c","a","b","c","a","b","c","a","b","c","a","b"))
m <- lm(log(y) ~ log(x) + g, data = d)
s <- summary(m); print(s$coefficients); print(c(s$r.squared, s$adj.r.squared, s$sigma)); print(confint(m))
print(anova(lm(log(y) ~ log(x), d), m))
new <- data.frame(x = c(3, 6), g = c("b", "c"))
print(predict(m, new, interval = "confidence", level = .9)); print(predict(m, new, interval = "prediction", level = .9))
p <- predict(m, new, se.fit = TRUE)
print(pt((log(8) - p$fit) / sqrt(p$se.fit^2 + p$residual.scale^2), p$df))
print(mean(exp(residuals(m))))
print(cooks.distance(m)); print(hatvalues(m))
r <- lm(y ~ x * g, data = d); print(coef(r)); print(predict(r, new))
# studentized Breusch-Pagan (Koenker), as lmtest::bptest does
e2 <- residuals(m)^2; a <- lm(e2 ~ model.matrix(m) - 1)
bp <- nrow(d) * (1 - sum(residuals(a)^2) / sum((e2 - mean(e2))^2)); print(c(bp, pchisq(bp, 3, lower.tail = FALSE)))
# leave-one-out error (PRESS)
print(sqrt(mean((residuals(m) / (1 - hatvalues(m)))^2)))
print(car::vif(m))   # GVIF; ours is GVIF^(1/Df)
q <- data.frame(d, z = d$x + c(.1,-.1,.2,-.2,.1,0,.1,-.1,0,.2,-.1,.1,-.2,0)); print(car::vif(lm(y ~ x + z + g, q)))
