"""State Manager: associations, when they run, and the compliance that they report."""
