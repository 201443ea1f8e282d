"""Digits in a text that may be a card's number, however somebody has written it.

Merchants, their receivers and their customers write what they like into texts. Whether such a
number is a card's is not looked at: to tell them apart would mean to be wrong at times.
"""

# What stands between two digits: an escape of a URL, of HTML or of JSON, or a character that is
# neither letter nor digit, seen or unseen. A colon before two digits is a time's, and a comma
# before a space is a sentence's.
_BETWEEN = r"%[0-9A-Fa-f]{2}|&#?\w{1,6};|\\u[0-9A-Fa-f]{4}|(?!:\d\d(?!\d)|, )[^\w]|_"
# A card's number has 12 to 19 digits, of any script. More of them in a row may hold one. What was
# taken is not given back: that could find nothing else, and takes long for some texts.
CARD_DIGITS = rf"\d(?:(?:{_BETWEEN}){{0,3}}+\d){{11,}}+"


def last_four(found: str) -> str:
    """Return the last four digits of what `CARD_DIGITS` has found, without what is between them."""
    return "".join(filter(str.isdecimal, found))[-4:]
