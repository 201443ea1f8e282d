"""The simulated bank: stands for the world outside, keeps a durable book, decides by card."""
