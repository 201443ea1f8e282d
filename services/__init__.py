"""The processes of paygate. They talk over gRPC and never import each other."""
