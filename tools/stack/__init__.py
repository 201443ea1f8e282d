"""The local stack behind `make run`: PostgreSQL, the bank, the workers, the sweep and Envoy."""
