# Reference values for the classical methods. R 4.2.2, package stats only. From the root of the repository:
#   Rscript tests/reference/comparisons_classical.R > tests/reference/comparisons_classical.json
num <- function(x) paste0("[", paste(format(x, digits = 15, trim = TRUE), collapse = ", "), "]")
one <- function(x) format(as.numeric(x), digits = 15)
brown_forsythe <- function(x, y) {             # car::leveneTest(center = median) in base R
  d <- data.frame(z = c(abs(x - median(x)), abs(y - median(y))), g = factor(rep(1:2, c(length(x), length(y)))))
  anova(lm(z ~ g, d))
}
case <- function(name, x, y) {
  t <- t.test(y, x, conf.level = 0.95)
  w <- suppressWarnings(wilcox.test(y, x, conf.int = TRUE, conf.level = 0.95))
  b <- brown_forsythe(x, y)
  l <- Box.test(x, lag = min(10, length(x) %/% 5), type = "Ljung-Box", fitdf = 1)
  cat(sprintf('  {"name": "%s", "before": %s, "after": %s, "welch": {"t": %s, "df": %s, "p": %s, "low": %s, "high": %s, "se": %s}, "wilcoxon": {"u": %s, "p": %s, "estimate": %s, "low": %s, "high": %s, "exact": %s}, "brown_forsythe": {"f": %s, "p": %s}, "ljung_box": {"q": %s, "df": %s, "p": %s}}',
    name, num(x), num(y), one(t$statistic), one(t$parameter), one(t$p.value), one(t$conf.int[1]),
    one(t$conf.int[2]), one(t$stderr), one(w$statistic), one(w$p.value), one(w$estimate), one(w$conf.int[1]),
    one(w$conf.int[2]), if (grepl("exact", w$method)) "true" else "false",
    one(b[["F value"]][1]), one(b[["Pr(>F)"]][1]), one(l$statistic), one(l$parameter), one(l$p.value)))
}
set.seed(7)
cat('{"samples": [\n')
case("small, exact", round(rnorm(12), 4), round(rnorm(9) + 1, 4)); cat(",\n")
case("lognormal, exact", round(exp(rnorm(49)), 4), round(exp(rnorm(30) + 0.4), 4)); cat(",\n")
case("larger, normal", round(rnorm(80, 10, 2), 5), round(rnorm(60, 10.7, 3), 5)); cat(",\n")
case("ties", round(rgamma(40, 2), 1), round(rgamma(35, 3), 1)); cat("\n")
cat('], "proportions": [\n')
prop <- function(x1, n1, x2, n2, last = FALSE) {
  p <- suppressWarnings(prop.test(c(x2, x1), c(n2, n1), correct = FALSE))
  f <- fisher.test(matrix(c(x2, n2 - x2, x1, n1 - x1), 2))
  cat(sprintf('  {"before": [%d, %d], "after": [%d, %d], "p": %s, "fisher": %s}%s\n', x1, n1, x2, n2,
    one(p$p.value), one(f$p.value), if (last) "" else ","))
}
prop(48, 80, 56, 70); prop(3, 10, 9, 10); prop(2, 7, 6, 7); prop(0, 29, 5, 56); prop(120, 400, 150, 390)
prop(2210, 23000, 2305, 25000, TRUE)
cat("]}\n")
