# Numbers of test_sip_tasks in tests/models/test_families.py: Rscript models_sip.R path/to/sip_tasks.csv.gz
suppressMessages(library(lme4)); options(digits = 12)
d <- read.csv(gzfile(commandArgs(TRUE)[1]), fileEncoding = "latin1"); d <- d[!duplicated(d$TaskNumber), ]
d <- d[d$HoursEstimate > 0 & d$HoursActual > 0, ]
m <- lmer(log(HoursActual) ~ log(HoursEstimate) + Category + (1 | ProjectCode), d, control = lmerControl(optCtrl = list(ftol_abs = 1e-14)))
print(nrow(d)); print(fixef(m)); print(sigma(m)); print(attr(VarCorr(m)$ProjectCode, "stddev"))
