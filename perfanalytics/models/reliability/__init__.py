"""Reliability and defects: availability, lifetimes, structures, growth, containment."""
