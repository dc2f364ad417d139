# Numbers of tests/models/test_selection.py: Rscript models_step.R > models_step.json (R 4.2.2, stats::step).
# step() starts from no term and goes in both directions. It minimizes extractAIC(): for class "aicc" that is
# Hurvich and Tsai's (1989) corrected criterion, with the variance counted as a parameter; add1.lm and drop1.lm
# know the plain criterion only, so the default methods, which refit, are taken.
extractAIC.aicc <- function(fit, scale = 0, k = 2, ...) {
  n <- length(fit$residuals); p <- n - fit$df.residual + 1
  c(p - 1, n * log(sum(fit$residuals^2) / n) + 2 * p + 2 * p * (p + 1) / (n - p - 1))
}
add1.aicc <- stats:::add1.default
drop1.aicc <- stats:::drop1.default
aicc_lm <- function(formula, data) {
  fit <- lm(formula, data); fit$call <- match.call(); class(fit) <- c("aicc", class(fit)); fit
}
path_of <- function(name, data, response, terms) {
  null <- eval(substitute(aicc_lm(f, data), list(f = as.formula(paste(response, "~ 1")))))
  full <- as.formula(paste("~", paste(terms, collapse = " + ")))
  found <- step(null, scope = list(lower = ~ 1, upper = full), direction = "both", trace = 0)
  list(name = name, response = response, candidates = terms, data = data[c(response, terms)],
       steps = as.character(found$anova$Step), aicc = found$anova$AIC,
       chosen = I(attr(terms(found), "term.labels")), r2 = summary.lm(found)$r.squared)
}
attach_all <- c("mtcars", "swiss", "attitude", "stackloss", "longley", "LifeCycleSavings", "warpbreaks", "iris",
                "airquality", "ToothGrowth", "USJudgeRatings", "leaves")
# a term that says nearly what two others say together comes first and leaves again
i <- 0:59; u <- function(k) qnorm(pmin(pmax((i * k) %% 1, .01), .99))
leaves <- data.frame(a = round(u(sqrt(2)), 3), b = round(u(sqrt(3)), 3), d = round(u(sqrt(11)), 3))
leaves$sum <- round(leaves$a + leaves$b + .3 * u(sqrt(7)), 3)
leaves$y <- round(leaves$a + leaves$b + .2 * u(sqrt(5)), 3)
made <- lapply(attach_all, function(name) {
  data <- as.data.frame(get(name)); data <- data[stats::complete.cases(data), ]
  names(data) <- gsub("[^A-Za-z0-9]", "_", names(data))
  response <- c(mtcars = "mpg", swiss = "Fertility", attitude = "rating", stackloss = "stack_loss", longley = "Employed",
                LifeCycleSavings = "sr", warpbreaks = "breaks", iris = "Sepal_Length", airquality = "Ozone",
                ToothGrowth = "len", USJudgeRatings = "RTEN", leaves = "y")[[name]]
  factors <- sapply(data, is.factor); data[factors] <- lapply(data[factors], as.character)
  path_of(name, data, response, setdiff(names(data), response))
})
cat(jsonlite::toJSON(made, auto_unbox = TRUE, digits = NA, dataframe = "columns"))
