"""Organizational process performance: what traces to what, what is in force, what to manage."""
