"""The operator's side: merchants and their API keys, served on the loopback interface."""
