# Reference values for the two-sided methods. R 4.2.2, packages stats, car, coin, jsonlite. From the root:
#   Rscript tests/reference/comparisons_methods.R > tests/reference/comparisons_methods.json
suppressPackageStartupMessages({ library(jsonlite); library(car); library(coin) })
v <- function(x) as.numeric(x)
two <- function(name, x, y) {                    # independent sides: x before, y after
  g <- factor(rep(c("x", "y"), c(length(x), length(y))), levels = c("x", "y"))
  d <- data.frame(v = c(x, y), g = g)
  st <- t.test(y, x, var.equal = TRUE)
  f <- var.test(y, x)
  lm_ <- function(a) { s <- leveneTest(v ~ g, d, center = a); list(f = s[1, 2], p = s[1, 3]) }
  b <- bartlett.test(v ~ g, d); fk <- fligner.test(v ~ g, d)
  # Brunner and Munzel (2000), eq. 4.5 to 4.8, written out
  n1 <- length(x); n2 <- length(y); r <- rank(c(x, y)); rx <- rank(x); ry <- rank(y)
  m1 <- mean(r[1:n1]); m2 <- mean(r[-(1:n1)])
  v1 <- sum((r[1:n1] - rx - m1 + (n1 + 1) / 2)^2) / (n1 - 1)
  v2 <- sum((r[-(1:n1)] - ry - m2 + (n2 + 1) / 2)^2) / (n2 - 1)
  est <- (m2 - (n2 + 1) / 2) / n1
  se <- sqrt(v1 / (n1 * n2^2) + v2 / (n2 * n1^2))
  df <- (n1 * v1 + n2 * v2)^2 / ((n1 * v1)^2 / (n1 - 1) + (n2 * v2)^2 / (n2 - 1))
  # Bonett and Seier (2003), eq. 5, written out
  bs <- function(a) { k <- length(a); m <- median(a); tau <- mean(abs(a - m))
    c(log(tau * k / (k - 1)), (var(a) / tau^2 + ((mean(a) - m) / tau)^2 - 1) / k) }
  bx <- bs(x); by <- bs(y)
  # Price and Bonett (2002), written out
  pb <- function(a) { k <- length(a); s <- sort(a); j <- max(1, round(k / 2 - sqrt(k)))
    ((s[k - j + 1] - s[j]) / (2 * qnorm(1 - pbinom(j - 1, k, 0.5))))^2 }
  list(name = name, before = x, after = y,
    student = list(t = v(st$statistic), df = v(st$parameter), p = st$p.value, low = st$conf.int[1], high = st$conf.int[2]),
    f_variance = list(f = v(f$statistic), p = f$p.value, low = f$conf.int[1], high = f$conf.int[2]),
    levene = lm_(mean), brown_forsythe = lm_(median),
    bartlett = list(x = v(b$statistic), p = b$p.value), fligner = list(x = v(fk$statistic), p = fk$p.value),
    brunner_munzel = list(estimate = est, statistic = (est - 0.5) / se, df = df, p = 2 * pt(-abs((est - 0.5) / se), df),
      low = est - qt(0.975, df) * se, high = est + qt(0.975, df) * se),
    mad_ratio = exp(c(by[1] - bx[1], by[1] - bx[1] + c(-1, 1) * qnorm(0.975) * sqrt(bx[2] + by[2]))),
    medians = median(y) - median(x) + c(0, -1, 1) * qnorm(0.975) * sqrt(pb(x) + pb(y)))
}
pairs_ <- function(name, x, y) {
  t <- t.test(y, x, paired = TRUE)
  w <- suppressWarnings(wilcox.test(y, x, paired = TRUE, conf.int = TRUE))
  pratt <- wilcoxsign_test(y ~ x, zero.method = "Pratt", distribution = "asymptotic")
  list(name = name, before = x, after = y,
    paired_t = list(t = v(t$statistic), df = v(t$parameter), p = t$p.value, low = t$conf.int[1], high = t$conf.int[2]),
    wilcoxon = list(v = v(w$statistic), p = w$p.value, estimate = v(w$estimate), low = w$conf.int[1], high = w$conf.int[2],
      exact = grepl("exact", w$method)),
    pratt = list(z = v(statistic(pratt)), p = v(pvalue(pratt))))
}
permuted <- function(x, y) {                     # all arrangements, by combn; ends of the interval by search
  n1 <- length(x); n2 <- length(y); a <- c(x, y); all <- combn(n1 + n2, n2)
  of <- function(u, f) apply(all, 2, function(i) f(u[i]) - f(u[-i]))
  p2 <- function(f) { d <- of(a, f); seen <- f(y) - f(x); mean(abs(d) >= abs(seen) - 1e-9) }
  one <- function(delta, upper) { u <- c(x, y - delta); d <- of(u, mean); seen <- mean(y) - delta - mean(x)
    if (upper) mean(d >= seen - 1e-9) else mean(d <= seen + 1e-9) }
  seen <- mean(y) - mean(x); alpha <- 0.1
  low <- uniroot(function(t) (one(t, TRUE) > alpha / 2) - 0.5, c(seen - 20, seen), tol = 1e-10)$root
  high <- uniroot(function(t) (one(t, FALSE) > alpha / 2) - 0.5, c(seen, seen + 20), tol = 1e-10)$root
  g <- factor(rep(c("x", "y"), c(n1, n2)))
  list(before = x, after = y, coin = v(pvalue(oneway_test(a ~ g, distribution = "exact"))),
    mean = p2(mean), median = p2(median), low = low, high = high)
}
counts <- function(x1, n1, x2, n2) {
  m <- matrix(c(x2, n2 - x2, x1, n1 - x1), 2); f <- fisher.test(m)
  # Miettinen and Nurminen (1985): constrained likelihood by optimize, ends by uniroot
  mn <- function(d) { ll <- function(p) dbinom(x1, n1, p, log = TRUE) + dbinom(x2, n2, p + d, log = TRUE)
    p <- optimize(ll, c(max(0, -d), min(1, 1 - d)), maximum = TRUE, tol = 1e-14)$maximum; q <- p + d
    (x2 / n2 - x1 / n1 - d) / sqrt((p * (1 - p) / n1 + q * (1 - q) / n2) * (n1 + n2) / (n1 + n2 - 1)) }
  e <- x2 / n2 - x1 / n1; z <- qnorm(0.975)
  s <- suppressWarnings(list(chisq.test(m, correct = TRUE), chisq.test(m, correct = FALSE)))
  # conditional odds ratio and ends to the last digits; fisher.test stops its own roots at 1e-4
  lo <- max(0, x1 + x2 - n1); hi <- min(x1 + x2, n2); u <- lo:hi
  law <- function(t) { l <- dhyper(u, n2, n1, x1 + x2, log = TRUE) + t * u; p <- exp(l - max(l)); p / sum(p) }
  root <- function(f) exp(uniroot(f, c(-20, 20), tol = 1e-14)$root)
  list(before = c(x1, n1), after = c(x2, n2),
    conditional = c(root(function(t) sum(law(t) * u) - x2), root(function(t) sum(law(t)[u >= x2]) - 0.025),
                    root(function(t) sum(law(t)[u <= x2]) - 0.025)),
    fisher = list(estimate = v(f$estimate), low = f$conf.int[1], high = f$conf.int[2], p = f$p.value),
    yates = list(x = v(s[[1]]$statistic), p = s[[1]]$p.value), pearson = list(x = v(s[[2]]$statistic), p = s[[2]]$p.value),
    score = c(uniroot(function(d) mn(d) - z, c(-0.99999, e), tol = 1e-12)$root,
              uniroot(function(d) mn(d) + z, c(e, 0.99999), tol = 1e-12)$root))
}
changed <- function(a, lost, won, d) {
  m <- matrix(c(a, won, lost, d), 2)
  b <- binom.test(lost, lost + won)
  or <- binom.test(won, lost + won)$conf.int
  list(both = a, lost = lost, won = won, neither = d, exact = b$p.value,
    mid = 2 * pbinom(min(lost, won), lost + won, 0.5) - dbinom(min(lost, won), lost + won, 0.5),
    corrected = mcnemar.test(m)$p.value, plain = mcnemar.test(m, correct = FALSE)$p.value,
    odds = c(won / lost, or[1] / (1 - or[1]), or[2] / (1 - or[2])))
}
rates <- function(x1, t1, x2, t2) {
  p <- poisson.test(c(x2, x1), c(t2, t1))
  w <- suppressWarnings(prop.test(x2, x1 + x2, t2 / (t1 + t2), correct = FALSE)); o <- w$conf.int / (1 - w$conf.int) * t1 / t2
  list(before = c(x1, t1), after = c(x2, t2),
    exact = list(estimate = v(p$estimate), low = p$conf.int[1], high = p$conf.int[2], p = p$p.value),
    score = list(low = o[1], high = o[2], p = w$p.value),
    log = exp(log(x2 / t2 * t1 / x1) + c(-1, 1) * qnorm(0.975) * sqrt(1 / x1 + 1 / x2)))
}
one <- function(x, value) {
  t <- t.test(x, mu = value); w <- wilcox.test(x, mu = value, conf.int = TRUE)
  list(values = x, value = value, t = v(t$statistic), df = v(t$parameter), p = t$p.value,
    low = t$conf.int[1] - value, high = t$conf.int[2] - value,
    w = list(v = v(w$statistic), p = w$p.value, estimate = v(w$estimate) - value, low = w$conf.int[1] - value, high = w$conf.int[2] - value))
}
tost <- function(x, y, margin) {
  up <- t.test(y, x, mu = margin, alternative = "less"); down <- t.test(y, x, mu = -margin, alternative = "greater")
  pu <- t.test(y, x, mu = margin, alternative = "less", var.equal = TRUE); pd <- t.test(y, x, mu = -margin, alternative = "greater", var.equal = TRUE)
  ci <- t.test(y, x, conf.level = 0.9)$conf.int
  list(before = x, after = y, margin = margin, upper = up$p.value, lower = down$p.value, p = max(up$p.value, down$p.value),
    pooled = max(pu$p.value, pd$p.value), low = ci[1], high = ci[2])
}
set.seed(11)
a <- round(rnorm(14, 10, 2), 3); b <- round(rnorm(11, 11.5, 3), 3)
u <- round(exp(rnorm(60, 2, 0.6)), 3); w <- round(exp(rnorm(45, 2.2, 0.8)), 3)
ta <- round(rgamma(30, 3), 1); tb <- round(rgamma(26, 4), 1)
pa <- round(rnorm(20, 5, 1), 3); pb_ <- round(pa + rnorm(20, 0.4, 0.7), 3)
qa <- round(rgamma(70, 3), 1); qb <- round(pmax(0.1, qa + round(rnorm(70, 0.15, 0.5), 1)), 1)
la <- round(rnorm(80, 5, 1), 4); lb <- round(la + rnorm(80, 0.1, 0.7), 4)
cat(toJSON(list(
  two = list(two("small", a, b), two("lognormal", u, w), two("ties", ta, tb)),
  pairs = list(pairs_("exact", pa, pb_), pairs_("ties and zeros", qa, qb), pairs_("large", la, lb)),
  permutation = list(permuted(a[1:6], b[1:7]), permuted(ta[1:6], tb[1:6])),
  counts = list(counts(48, 80, 56, 70), counts(3, 10, 9, 10), counts(2, 7, 6, 7), counts(120, 400, 150, 390),
    counts(7, 30, 5, 56), counts(1, 40, 6, 35)),
  mcnemar = list(changed(36, 2, 12, 0), changed(20, 9, 3, 18), changed(101, 25, 14, 60)),
  rates = list(rates(17, 1000, 11, 800), rates(3, 120, 14, 150), rates(240, 52, 199, 52)),
  one = list(one(pa, 4.5)),
  tost = list(tost(u[1:30] / 10, w[1:22] / 10, 0.5), tost(la, lb, 0.5))
), digits = NA, auto_unbox = TRUE, pretty = TRUE))
