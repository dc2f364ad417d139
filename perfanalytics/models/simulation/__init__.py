"""Processes composed of steps, and what they give together: Monte Carlo simulation."""
