"""Inventory: what nodes have gathered, as it is asked for, and its copies in buckets."""
