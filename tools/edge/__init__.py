"""The edge: what Envoy runs, generated from the protos and from envoy.yaml."""
