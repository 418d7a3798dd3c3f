"""Which patches there are, and which of them baselines approve."""
