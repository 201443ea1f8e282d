"""The developers' request log: what a merchant's calls were, in the sandbox."""
