"""The local AWS: a simulated fleet behind Systems Manager's own interface, and the workshop that runs on it."""
