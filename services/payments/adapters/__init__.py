"""The ports on real things. No record of asyncpg and no protobuf message leaves an adapter."""
