"""What follows from a change of a payment: webhooks, the bus, and the API for both."""
