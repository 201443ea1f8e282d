"""What is done to payments, in terms of the domain and the ports."""
