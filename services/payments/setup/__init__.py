"""Settings, and what the service stands on."""
