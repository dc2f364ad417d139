# Reference values for several groups. R 4.2.2, packages stats, car, jsonlite. From the root:
#   Rscript tests/reference/comparisons_groups.R > tests/reference/comparisons_groups.json
suppressPackageStartupMessages({ library(jsonlite); library(car) })
v <- function(x) as.numeric(x)
lower <- function(m, l) sapply(combn(l, 2, simplify = FALSE), function(p) m[p[2], p[1]])   # pairs in our order
groups <- function(name, y, g) {
  g <- factor(g); l <- levels(g); k <- length(l); n <- tapply(y, g, length); m <- tapply(y, g, mean); s2 <- tapply(y, g, var)
  fit <- lm(y ~ g); a <- anova(fit); w <- oneway.test(y ~ g); kw <- kruskal.test(y, g); th <- TukeyHSD(aov(y ~ g))$g
  pt <- pairwise.t.test(y, g, p.adjust.method = "none")$p.value
  pw <- pairwise.t.test(y, g, pool.sd = FALSE, p.adjust.method = "none")$p.value
  px <- suppressWarnings(pairwise.wilcox.test(y, g, p.adjust.method = "none")$p.value)
  # Games and Howell (1976) and Dunn (1964), written out
  gh <- t(sapply(combn(k, 2, simplify = FALSE), function(p) { i <- p[1]; j <- p[2]
    e <- s2[i] / n[i] + s2[j] / n[j]; df <- e^2 / ((s2[i] / n[i])^2 / (n[i] - 1) + (s2[j] / n[j])^2 / (n[j] - 1))
    d <- m[j] - m[i]; h <- qtukey(0.95, k, df) / sqrt(2) * sqrt(e)
    v(c(d, d - h, d + h, df, ptukey(abs(d) / sqrt(e) * sqrt(2), k, df, lower.tail = FALSE))) }))
  r <- rank(y); N <- length(y); mr <- tapply(r, g, mean); ti <- table(y)
  dn <- t(sapply(combn(k, 2, simplify = FALSE), function(p) { i <- p[1]; j <- p[2]
    se <- sqrt((N * (N + 1) / 12 - sum(ti^3 - ti) / (12 * (N - 1))) * (1 / n[i] + 1 / n[j])); z <- (mr[j] - mr[i]) / se
    v(c(mr[j] - mr[i], z, 2 * pnorm(-abs(z)))) }))
  # Steiger (2004): eta squared by the noncentral F
  f <- a[1, 4]; d1 <- a[1, 1]; d2 <- a[2, 1]
  nc <- function(p) if (pf(f, d1, d2, 0) <= p) 0 else uniroot(function(x) pf(f, d1, d2, x) - p, c(0, 1000), tol = 1e-12)$root
  ec <- c(nc(0.975), nc(0.025)); ec <- ec / (ec + d1 + d2 + 1)
  lv <- function(c) { t <- leveneTest(y, g, c); list(f = t[1, 2], p = t[1, 3]) }
  b <- bartlett.test(y, g); fl <- fligner.test(y, g)
  list(name = name, values = y, groups = as.character(g), levels = l,
    anova = list(f = f, p = a[1, 5], between = a[1, 2], within = a[2, 2], eta = a[1, 2] / sum(a[, 2]), eta_low = ec[1], eta_high = ec[2],
      omega = (a[1, 2] - d1 * a[2, 3]) / (sum(a[, 2]) + a[2, 3]), epsilon = (a[1, 2] - d1 * a[2, 3]) / sum(a[, 2])),
    welch = list(f = v(w$statistic), df = v(w$parameter[2]), p = w$p.value), kruskal = list(x = v(kw$statistic), p = kw$p.value),
    tukey = unname(th), games_howell = unname(gh), dunn = unname(dn),
    pairwise_t = lower(rbind(NA, cbind(pt, NA)), seq_len(k)), pairwise_welch = lower(rbind(NA, cbind(pw, NA)), seq_len(k)),
    pairwise_wilcoxon = lower(rbind(NA, cbind(px, NA)), seq_len(k)),
    levene = lv(mean), brown_forsythe = lv(median), bartlett = list(x = v(b$statistic), p = b$p.value), fligner = list(x = v(fl$statistic), p = fl$p.value))
}
two <- function(name, y, a, b) {
  d <- data.frame(y = y, a = factor(a), b = factor(b)); options(contrasts = c("contr.sum", "contr.poly"))
  f <- lm(y ~ a * b, d); f0 <- lm(y ~ a + b, d); t2 <- Anova(f, type = 2); t3 <- Anova(f, type = 3); t0 <- Anova(f0, type = 2)
  # marginal means of a: equal weights over b
  cells <- expand.grid(a = levels(d$a), b = levels(d$b)); X <- model.matrix(~ a * b, cells, contrasts.arg = list(a = "contr.sum", b = "contr.sum"))
  L <- t(sapply(levels(d$a), function(i) colMeans(X[cells$a == i, ])))
  pick <- combn(nrow(L), 2, simplify = FALSE)
  pr <- t(sapply(pick, function(p) { l <- L[p[2], ] - L[p[1], ]; e <- sum(l * coef(f)); se <- sqrt(drop(t(l) %*% vcov(f) %*% l))
    c(e, se, ptukey(abs(e / se) * sqrt(2), nrow(L), df.residual(f), lower.tail = FALSE)) }))
  list(name = name, values = y, a = as.character(d$a), b = as.character(d$b),
    type2 = list(f = t2[1:3, 3], p = t2[1:3, 4]), type3 = list(f = t3[2:4, 3], p = t3[2:4, 4]), additive = list(f = t0[1:2, 3], p = t0[1:2, 4]), pairs = unname(pr))
}
set.seed(5)
g1 <- round(c(rnorm(9, 10, 2), rnorm(14, 12, 3), rnorm(11, 9, 1), rnorm(8, 13, 5)), 3)
l1 <- rep(c("a", "b", "c", "d"), c(9, 14, 11, 8))
keep <- c(1:7, 10:20, 24:30, 34:48, 52:54)
wb <- warpbreaks[keep, ]
rb <- matrix(round(rnorm(40, rep(1:10, 4), 1) + rep(c(0, .6, .2, 1.5), each = 10), 2), 10)
rt <- round(rb)                                  # with ties
block <- data.frame(y = c(rb), g = factor(rep(1:4, each = 10)), b = factor(rep(1:10, 4)))
ab <- anova(lm(y ~ b + g, block)); fm <- friedman.test(rb); ft <- friedman.test(rt)
x <- c(15, 25, 9, 40); n <- c(80, 90, 70, 110); cs <- prop.test(x, n)
p <- c(0.012, 0.04, 0.001, 0.2, 0.03, 0.04)
cat(toJSON(list(
  groups = list(groups("unequal", g1, l1), groups("InsectSprays", InsectSprays$count, InsectSprays$spray),
    groups("chickwts", chickwts$weight, chickwts$feed)),
  two = list(two("unbalanced", wb$breaks, wb$wool, wb$tension), two("balanced", ToothGrowth$len, ToothGrowth$dose, ToothGrowth$supp)),
  blocks = list(table = rb, tied = rt, f = ab[2, 4], p = ab[2, 5], residual = ab[3, 3],
    friedman = list(x = v(fm$statistic), p = fm$p.value), tied_friedman = list(x = v(ft$statistic), p = ft$p.value)),
  proportions = list(x = x, n = n, chi = v(cs$statistic), p = cs$p.value),
  adjust = list(p = p, holm = p.adjust(p, "holm"), hochberg = p.adjust(p, "hochberg"), bonferroni = p.adjust(p, "bonferroni"),
    benjamini_hochberg = p.adjust(p, "BH")),
  range = list(list(q = 3.5, k = 3, df = 20, p = ptukey(3.5, 3, 20, lower.tail = FALSE), q95 = qtukey(0.95, 3, 20)),
    list(q = 4, k = 5, df = 1000, p = ptukey(4, 5, 1000, lower.tail = FALSE), q95 = qtukey(0.95, 5, 1000)),
    list(q = 4.2, k = 10, df = 12.5, p = ptukey(4.2, 10, 12.5, lower.tail = FALSE), q95 = qtukey(0.95, 10, 12.5)))
), digits = NA, auto_unbox = TRUE, pretty = TRUE))
