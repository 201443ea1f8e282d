"""One of the two edges: the other one is the same with, or without, asyncio."""
