"""Organizational performance management: capability, proposals, pilots, portfolio, deployment."""
