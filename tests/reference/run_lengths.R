# Reference run lengths by the R package spc (0.6.7), typed into tests/spc/test_run_length.py:
#   Rscript tests/reference/run_lengths.R
library(spc)
options(digits = 10)

for (d in c(0, 0.5, 1, 2)) {
  cat("ewma 0.1 2.7 shift", d, "fixed", xewma.arl(0.1, 2.7, d, sided = "two", r = 80),
      "time-varying", xewma.arl(0.1, 2.7, d, sided = "two", limits = "vacl", r = 80), "\n")
}
cat("ewma 0.25 3", xewma.arl(0.25, 3, 0, sided = "two", r = 80),
    xewma.arl(0.25, 3, 0, sided = "two", limits = "vacl", r = 80),
    "0.05 2.6", xewma.arl(0.05, 2.6, 0, sided = "two", r = 120), "\n")
cat("ewma 0.1 2.7 median", xewma.q(0.1, 2.7, 0, 0.5, sided = "two"), xewma.q(0.1, 2.7, 1, 0.5, sided = "two"),
    "P(T > 25), P(T > 100)", xewma.sf(0.1, 2.7, 0, 100, sided = "two")[c(25, 100)], "\n")
for (d in c(0, 0.5, 1, 2)) {
  cat("cusum 0.5 5 shift", d, "one", xcusum.arl(0.5, 5, d, r = 80),
      "two", xcusum.arl(0.5, 5, d, sided = "two", r = 80),
      "head start 2.5", xcusum.arl(0.5, 5, d, hs = 2.5, sided = "two", r = 80), "\n")
}
cat("cusum 0.5 5 P(T > 25), P(T > 100)", xcusum.sf(0.5, 5, 0, 100)[c(25, 100)], "\n")
cat("mewma", mewma.arl(0.1, 8.64, 2), mewma.arl(0.2, 13, 4), mewma.arl(0.1, 10, 3), "\n")
cat("design ewma", xewma.crit(0.1, 500, sided = "two"), xewma.crit(0.1, 500, sided = "two", limits = "vacl"),
    xewma.crit(0.2, 370.4, sided = "two"), "\n")
cat("design cusum", xcusum.crit(0.5, 500), xcusum.crit(0.5, 500, sided = "two"),
    xcusum.crit(0.25, 370.4, sided = "two"), "\n")
cat("design mewma", mewma.crit(0.1, 200, 2), mewma.crit(0.1, 200, 4), mewma.crit(0.2, 500, 3), "\n")

# operating characteristics, base R: a count on a limit is inside
cat("xbar of 5", pnorm(3 - c(0, 0.5, 1, 2) * sqrt(5)) - pnorm(-3 - c(0, 0.5, 1, 2) * sqrt(5)), "\n")
p <- 0.2313333; n <- 50
u <- floor(n * (p + 3 * sqrt(p * (1 - p) / n))); l <- ceiling(n * max(0, p - 3 * sqrt(p * (1 - p) / n)))
cat("p of 50", pbinom(u, n, c(0.05, 0.2, 0.3, 0.5)) - pbinom(l - 1, n, c(0.05, 0.2, 0.3, 0.5)), "\n")
m <- 19.846; u <- floor(m + 3 * sqrt(m)); l <- ceiling(m - 3 * sqrt(m))
cat("c", ppois(u, c(5, 20, 30, 45)) - ppois(l - 1, c(5, 20, 30, 45)), "\n")
