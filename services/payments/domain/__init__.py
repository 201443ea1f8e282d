"""The rules of a payment: frozen values and pure verbs. No I/O, no clock, no SQL."""
