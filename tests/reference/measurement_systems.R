# Numbers of tests/baselines/test_gauge_study.py and test_agreement.py: run with
# Rscript measurement_systems.R DATA (R 4.2.2, lme4 1.1-31, psych 2.2.9); DATA is the folder with spc/gage_aiag.csv
options(digits = 12, width = 150)
suppressMessages({ library(lme4); library(psych) })
g <- read.csv(file.path(commandArgs(TRUE)[1], "spc/gage_aiag.csv"))
g$part <- factor(g$part); g$appraiser <- factor(g$appraiser)
print(anova(lm(measurement ~ part * appraiser, g)))
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-12, maxfun = 1e6), calc.derivs = FALSE, check.conv.singular = "ignore")
components <- function(f, d) print(as.data.frame(VarCorr(lmer(f, d, control = tight)))[, c("grp", "vcov")], digits = 12)
cat("balanced, pooled\n"); components(measurement ~ (1 | part) + (1 | appraiser), g)
u <- g[-c(3, 14, 15, 47, 48, 88), ]
cat("unbalanced\n"); components(measurement ~ (1 | part) + (1 | appraiser), u)
s <- c(31.2, 30.1, 33.5, 32.2, 29.0, 28.1, 33.0, 33.9, 28.2, 30.3, 35.2, 34.1,
       30.4, 31.5, 34.9, 35.4, 28.9, 28.0, 31.2, 32.6, 30.0, 29.5, 33.3, 34.5)
o <- data.frame(y = s, part = factor(rep(rep(1:6, each = 2), 2)), who = factor(rep(c("A", "B"), each = 12)))
cat("interaction, balanced and unbalanced\n")
print(anova(lm(y ~ part * who, o)))
components(y ~ (1 | part) + (1 | who) + (1 | part:who), o); components(y ~ (1 | part) + (1 | who) + (1 | part:who), o[-c(1, 7, 20), ])
a <- lmer(y ~ (1 | part) + (1 | who) + (1 | part:who), o[-c(1, 7, 20), ], control = tight)
b <- lmer(y ~ (1 | part) + (1 | who), o[-c(1, 7, 20), ], control = tight)
r <- 2 * (logLik(a) - logLik(b)); print(c(r, pchisq(r, 1, lower.tail = FALSE) / 2))
cat("nested\n")
print(anova(lm(y ~ who + who:part, o))); components(y ~ (1 | who) + (1 | who:part), o)
cat("d2* by integration\n")
W <- function(n) { F <- function(w) sapply(w, function(w) n * integrate(function(x) dnorm(x) * (pnorm(x + w) - pnorm(x))^(n - 1), -8, 8, rel.tol = 1e-11)$value)
  m <- integrate(function(w) 1 - F(w), 0, 12, rel.tol = 1e-10)$value; m2 <- integrate(function(w) 2 * w * (1 - F(w)), 0, 12, rel.tol = 1e-10)$value
  c(d2 = m, d2_star_1 = sqrt(m2)) }
print(W(3)); print(W(10))
x <- tapply(g$measurement, list(g$part, g$appraiser), function(v) diff(range(v))); ev <- mean(x) / W(3)[1]
av <- sqrt((diff(range(tapply(g$measurement, g$appraiser, mean))) / W(3)[2])^2 - ev^2 / 30)
pv <- diff(range(tapply(g$measurement, g$part, mean))) / W(10)[2]
print(c(ev, av, sqrt(ev^2 + av^2), pv, sqrt(ev^2 + av^2 + pv^2)))
cat("chi-square and F intervals\n")
print(78 * 0.0399732755 / qchisq(c(.975, .025), 78)); print(c(8 / 2 / qf(.975, 9, 20), 8 / 2 * qf(.975, 20, 9)))

cat("ICC\n")
sf <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
print(ICC(sf, lmer = FALSE)$results, digits = 12)
cat("Cohen\n")
m <- matrix(c(1520, 266, 124, 66, 234, 1512, 432, 78, 117, 362, 1772, 205, 36, 82, 179, 492), 4, byrow = TRUE)
w <- outer(1:4, 1:4, function(i, j) 1 - abs(i - j) / 3); q <- outer(1:4, 1:4, function(i, j) 1 - (i - j)^2 / 9)
for (k in list(cohen.kappa(m, w = w), cohen.kappa(m, w = q))) { print(c(k$kappa, k$weighted.kappa, k$var.kappa, k$var.weighted)); print(k$confid, digits = 12) }
cat("Kendall\n")
anxiety <- matrix(c(3,3,2,3,6,1,3,4,4,4,6,4,5,2,3,5,4,2,2,2,1,3,4,6,5,3,1,2,3,1,2,2,1,6,3,2,1,3,3,5,3,3,2,2,1,2,2,1,1,1,3,2,3,3,4,3,2,3,4,2), ncol = 3, byrow = TRUE)
k <- friedman.test(t(anxiety)); print(c(k$statistic, k$statistic / (3 * 19), k$p.value))
cat("Bland and Altman\n")
wright <- c(494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
mini <- c(512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
d <- wright - mini; n <- 17
print(c(mean(d), sd(d), t.test(d)$conf.int, t.test(d)$p.value))
print(mean(d) + sd(d) * qnorm(.975) * c(-1, 1))
print(mean(d) + sd(d) * qt(c(.025, .975), 16, ncp = qnorm(.975) * sqrt(n)) / sqrt(n))
print(sd(d) * sqrt(16 / qchisq(c(.975, .025), 16)))
print(summary(lm(d ~ I((wright + mini) / 2)))$coefficients)
cat("exact binomial\n"); print(binom.test(39, 50)$conf.int)
