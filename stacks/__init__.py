"""Thin stacks: they wire constructs to a policy and define no resource of their own."""
