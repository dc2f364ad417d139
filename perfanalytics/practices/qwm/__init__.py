"""Quantitative work management: the review of a piece of work."""
