"""Tests of the control charts."""
