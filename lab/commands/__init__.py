"""Run Command: a command from being sent to what every node made of it."""
