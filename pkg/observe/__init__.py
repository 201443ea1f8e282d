"""Metrics, the log, traces and health."""
