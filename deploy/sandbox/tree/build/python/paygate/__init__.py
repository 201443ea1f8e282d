"""A package here: in a clone it is a folder only, which loses to others of its name."""
