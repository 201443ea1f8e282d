"""A web shop: orders that are paid when they are shipped, and can be refunded."""
