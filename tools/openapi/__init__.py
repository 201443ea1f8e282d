"""The API of REST as OpenAPI 3.1, generated from the descriptors and from what services enforce."""
