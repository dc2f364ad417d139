"""Causal analysis and resolution: select, analyze, act, evaluate."""
