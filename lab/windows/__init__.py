"""Maintenance windows: when they open, and what their tasks do then."""
