"""The card vault: sealed cards, and the keys that seal them."""
