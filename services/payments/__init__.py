"""The payments service: decides, records and carries out what is asked of a payment."""
