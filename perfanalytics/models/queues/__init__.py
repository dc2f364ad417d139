"""Queues and capacity: formulas, staffing, thresholds, and the exact recursion from real arrivals."""
