"""Requests that are carried out once for their idempotency key, whatever they make or move."""
