"""`./paygate listen`: takes webhooks from the sandbox and posts them on this machine."""
