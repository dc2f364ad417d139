# Numbers of tests/baselines/test_ratios.py: run with Rscript ratios.R (base R 4.2.2)
# Minutes of downtime and agreed minutes of twelve weeks; the ratio estimator by hand, and as weighted least squares.
options(digits = 12)
x <- c(31, 0, 55, 12, 48, 90, 7, 22, 64, 18, 39, 27)
n <- c(4800, 4320, 4800, 3840, 4800, 9600, 4800, 4320, 4800, 4800, 2400, 4800)
k <- length(x); N <- sum(n); R <- sum(x) / N; r <- x / n
s2 <- sum(n * (r - R)^2) / (k - 1)
typical <- median(n)
print(c(R, s2, sqrt(s2 / typical)))
print(R + c(-1, 1) * qt(.975, k - 1) * sqrt(s2 / N))                        # the pooled ratio
print(R + c(-1, 1) * qt(.975, k - 1) * sqrt(s2 / typical + s2 / N))         # the next period of typical size
print(sqrt((k - 1) * s2 / typical / qchisq(c(.975, .025), k - 1)))          # sd of such a period
m <- lm(r ~ 1, weights = n)
print(confint(m)); print(predict(m, data.frame(one = 1), interval = "prediction", weights = typical))
print(quantile(r, c(.05, .5, .9)))
print(qnorm(.975) * sqrt((k - 1) * (1 + typical / N) / qchisq(.05, k - 1)))   # Howe's factor
# linearized variance of the ratio estimator (Cochran 1977, 6.13) over that of the model
print(k / (k - 1) * sum((x - R * n)^2) / N^2 / (s2 / N))
# below 0: cost less plan
y <- c(-120, 45, 30, -80, 210, -15, 5, -60); p <- c(900, 1000, 1100, 950, 1000, 1200, 1000, 900)
print(confint(lm(y / p ~ 1, weights = p))); print(sum(y) / sum(p))
