"""What generates the parts of the client libraries that are not written by hand."""
