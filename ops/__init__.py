"""Operating a fleet: reading what AWS knows, judging it, and showing it, one operation a module."""
