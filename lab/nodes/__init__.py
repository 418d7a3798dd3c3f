"""The nodes of the lab: what is on them, how they are patched, and what they report."""
