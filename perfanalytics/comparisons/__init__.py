"""Before and after: comparisons that stay honest on process data."""
