"""`./paygate`, the one command: what developers do with a gateway, and what its operator does."""
