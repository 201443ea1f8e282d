"""The RPCs: what is asked in messages, and what is answered."""
