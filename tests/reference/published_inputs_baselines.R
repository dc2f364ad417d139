# Baselines, capability, gauge studies and agreement on the published inputs, base R with lme4, psych, MASS:
#   Rscript tests/reference/published_inputs_baselines.R PUBLISHED_INPUTS.json > tests/reference/published_inputs_baselines.json
# The inputs are not part of this project; the numbers made of them are (R 4.2.2, lme4 1.1-31, psych 2.2.9).
# tests/baselines/test_published_inputs_baselines.py compares them with ours.
suppressMessages({ library(jsonlite); library(lme4); library(psych); library(MASS) })
inputs <- fromJSON(commandArgs(TRUE)[1], simplifyVector = TRUE)
out <- list()
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-12, maxfun = 1e6),
                     calc.derivs = FALSE, check.conv.singular = "ignore")
components <- function(f, d) { v <- as.data.frame(VarCorr(lmer(f, d, control = tight))); setNames(as.list(v$vcov), v$grp) }
table_of <- function(a) list(df = a[, "Df"], ss = a[, "Sum Sq"], ms = a[, "Mean Sq"], f = a[, "F value"], p = a[, "Pr(>F)"])

# nested: casks in batches (lme4's Pastes; Davies and Goldsmith 1972)
d <- as.data.frame(inputs$d5e0ed4287c4)
a <- anova(lm(y ~ batch + batch:cask, d)); ms <- a[, "Mean Sq"]
out$d5e0ed4287c4 <- c(components(y ~ 1 + (1 | batch / cask), d), table_of(a),
  list(f_batch = ms[1] / ms[2], p_batch = pf(ms[1] / ms[2], a[1, "Df"], a[2, "Df"], lower.tail = FALSE)))

# crossed: three prototypes, three operators, three runs
for (key in c("0bf99ffc0ea1", "de4a8ec4c9c9")) {
  g <- as.data.frame(inputs[[key]]); names(g)[names(g) == "value"] <- "y"
  both <- anova(lm(y ~ part * operator, g)); add <- anova(lm(y ~ part + operator, g))
  part <- function(b) list(ss = b[, "Sum Sq"], ms = b[, "Mean Sq"], df = b[, "Df"])
  m <- both[, "Mean Sq"]; ab <- max(0, (m[3] - m[4]) / 3)
  keep <- list(repeatability = m[4], interaction = ab, operator = max(0, (m[2] - m[3]) / 9), part = max(0, (m[1] - m[3]) / 9))
  m0 <- add[, "Mean Sq"]
  pooled <- list(repeatability = m0[3], operator = max(0, (m0[2] - m0[3]) / 9), part = max(0, (m0[1] - m0[3]) / 9))
  out[[key]] <- list(both = part(both), additive = part(add), keep = keep, pooled = pooled,
    f_over_interaction = c(m[1], m[2]) / m[3], p_interaction = both[3, "Pr(>F)"],
    reml = components(y ~ (1 | part) + (1 | operator) + (1 | part:operator), g),
    reml_additive = components(y ~ (1 | part) + (1 | operator), g))
}

# capability and fitted distributions
x <- inputs[["149bcefd84f7"]]$values; n <- length(x)
mr <- mean(abs(diff(x))) / (2 / sqrt(pi)); s <- sd(x); L <- 0; U <- 20
fits <- list()
for (f in c("normal", "lognormal", "exponential")) { k <- fitdistr(x, f); fits[[f]] <- list(par = as.list(k$estimate), loglik = k$loglik) }
fine <- function(dens, start) { g <- function(p) -sum(dens(x, exp(p))); o <- optim(log(start), g, control = list(reltol = 1e-16, maxit = 20000))
  o <- optim(o$par, g, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000)); list(par = exp(o$par), loglik = -o$value) }
fits$weibull <- fine(function(x, p) dweibull(x, p[1], p[2], log = TRUE), c(2, 10))
fits$gamma <- fine(function(x, p) dgamma(x, p[1], scale = p[2], log = TRUE), c(3, 3))
ends <- function(p) { k <- 0:n; c(max(0, k[pbinom(k - 1, n, p) <= 0.025]), min(k[pbinom(k - 1, n, p) >= 0.975], n + 1)) }
out[["149bcefd84f7"]] <- list(cp = (U - L) / 6 / mr, cpk = min(U - mean(x), mean(x) - L) / 3 / mr, pp = (U - L) / 6 / s,
  ppk = min(U - mean(x), mean(x) - L) / 3 / s, cp_interval = (U - L) / 6 / mr * sqrt(qchisq(c(.025, .975), .62 * (n - 1)) / (.62 * (n - 1))),
  pp_interval = (U - L) / 6 / s * sqrt(qchisq(c(.025, .975), n - 1) / (n - 1)), mean = mean(x), sd = s, iqr = IQR(x),
  mad = mad(x, constant = 1), percentiles = unname(quantile(x, c(5, 10, 25, 50, 75, 90, 95) / 100)), t = t.test(x)$conf.int,
  next_item = mean(x) + qt(c(.025, .975), n - 1) * s * sqrt(1 + 1 / n), mean_of_10 = mean(x) + qt(c(.025, .975), n - 1) * s * sqrt(1 / 10 + 1 / n),
  sd_interval = s * sqrt((n - 1) / qchisq(c(.975, .025), n - 1)), howe = sqrt((n - 1) * (1 + 1 / n) * qnorm(.975)^2 / qchisq(.05, n - 1)),
  one_sided = qt(.95, n - 1, ncp = qnorm(.95) * sqrt(n)) / sqrt(n), below_15 = mean(x <= 15), below_15_interval = binom.test(sum(x <= 15), n)$conf.int,
  fits = fits)

# Fleiss' kappa from counts: Fleiss (1971), Fleiss, Nee and Landis (1979)
kappa <- function(k) {
  m <- sum(k[1, ]); N <- nrow(k); p <- colSums(k) / (N * m); q <- 1 - p
  agree <- (rowSums(k^2) - m) / (m * (m - 1)); pe <- sum(p^2); value <- (mean(agree) - pe) / (1 - pe)
  null <- sqrt(2) / (sum(p * q) * sqrt(N * m * (m - 1))) * sqrt(sum(p * q)^2 - sum(p * q * (q - p)))
  each <- 1 - colSums(k * (m - k)) / (N * m * (m - 1) * p * q)
  # Gwet (2021): the linearized terms, which hold also where kappa is not 0
  chance <- as.vector(k %*% p) / m; u <- (agree - pe) / (1 - pe); u <- u - 2 * (1 - value) * (chance - pe) / (1 - pe)
  list(kappa = value, z = value / null, observed = mean(agree), expected = pe, each = each, se = sqrt(sum((u - value)^2) / (N * (N - 1))))
}
r <- inputs$dfc9be44dce9$ratings; names <- sort(unique(as.vector(r)))
out$dfc9be44dce9 <- kappa(t(apply(r, 1, function(v) table(factor(v, names)))))
out$e5870db8f96a <- kappa(inputs$e5870db8f96a$counts)

# weighted kappa: psych
m <- inputs$d10e557a64c0$table; q <- nrow(m)
near <- outer(1:q, 1:q, function(i, j) 1 - abs(i - j) / (q - 1)); nearer <- outer(1:q, 1:q, function(i, j) 1 - ((i - j) / (q - 1))^2)
out$d10e557a64c0 <- list(kappa = cohen.kappa(m)$kappa, linear = cohen.kappa(m, w = near)$weighted.kappa,
  quadratic = cohen.kappa(m, w = nearer)$weighted.kappa, n = sum(m))

# Krippendorff's alpha from the coincidence matrix (Krippendorff 2011)
k <- inputs$ac7e7ff36f06$raters; v <- sort(unique(as.vector(k))); o <- matrix(0, length(v), length(v))
for (u in seq_len(ncol(k))) { w <- match(k[!is.na(k[, u]), u], v); if (length(w) > 1) for (i in seq_along(w)) for (j in seq_along(w))
  if (i != j) o[w[i], w[j]] <- o[w[i], w[j]] + 1 / (length(w) - 1) }
nc <- rowSums(o); total <- sum(nc)
ordinal <- function(i, j) { a <- min(i, j); b <- max(i, j); (sum(nc[a:b]) - (nc[a] + nc[b]) / 2)^2 }
distances <- list(nominal = function(i, j) i != j, ordinal = ordinal, interval = function(i, j) (v[i] - v[j])^2,
                  ratio = function(i, j) ((v[i] - v[j]) / (v[i] + v[j]))^2)
out$ac7e7ff36f06 <- lapply(distances, function(f) { e <- outer(seq_along(v), seq_along(v), Vectorize(f))
  1 - (total - 1) * sum(o * e) / sum(outer(nc, nc) * e) })

# intraclass correlations: psych; Kendall's W with ties by its formula, and by friedman.test
for (key in c("45112747b98b", "5cb531b1eda6")) {
  x <- inputs[[key]]$ratings_subjects_by_raters; dimnames(x) <- list(NULL, LETTERS[seq_len(ncol(x))])
  i <- ICC(x, lmer = FALSE)$results
  ranks <- apply(x, 2, rank); nn <- nrow(x); mm <- ncol(x); s <- sum((rowSums(ranks) - mean(rowSums(ranks)))^2)
  ties <- sum(apply(ranks, 2, function(v) { t <- table(v); sum(t^3 - t) }))
  f <- friedman.test(t(x))
  out[[key]] <- list(type = i$type, icc = i$ICC, f = i$F, p = i$p, low = i[["lower bound"]], high = i[["upper bound"]],
    w = 12 * s / (mm^2 * (nn^3 - nn) - mm * ties), w_friedman = unname(f$statistic) / (mm * (nn - 1)), w_p = f$p.value)
}
cat(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = FALSE), "\n")
