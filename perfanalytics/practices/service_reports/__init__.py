"""Service reports: what was reached in a period, for whom."""
