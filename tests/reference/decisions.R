# p-values that decide beside intervals that are made otherwise, and R2 without an intercept (R 4).
options(digits = 10, warn = -1)
for (v in list(c(0, 7, 20, 40), c(9, 35, 20, 50))) {
  cat(prop.test(v[1:2], v[3:4], correct = FALSE)$p.value, "\n")
}
print(wilcox.test(c(2, 4, 5, 5, 6, 7, 7, 8), c(1, 2, 2, 3, 4, 4, 5), conf.int = TRUE)[c("p.value", "conf.int")])
d <- data.frame(x = c(1.0, 2.0, 1.5, 4.0, 3.0, 5.5), y = c(13.1, 14.7, 12.2, 18.9, 16.5, 12.4))
m <- lm(y ~ x - 1, d)
cat(summary(m)$r.squared, 1 - sum(resid(m)^2) / sum((d$y - mean(d$y))^2), "\n")
