"""Three machines that fail over, on this one: in network namespaces, as `make ha` runs them."""
