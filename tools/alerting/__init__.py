"""What the Prometheus Operator takes, made of deploy/observability."""
