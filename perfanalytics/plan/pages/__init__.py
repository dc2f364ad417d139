"""Pages that need the plan, the repository and the practices: reviews, causal analyses, service reports."""
