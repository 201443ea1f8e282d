"""Cards for tests of secrecy: their numbers share digits that are found nowhere else."""

# In no number that the gateway may show: not in the last four digits, and longer than a prefix.
MARK = "718364059"
AMEX_CVV, CVV = "7391", "739"
# What people, forms and programs put between groups of four digits, seen or unseen.
BETWEEN = (
    *("", " ", "-", "  ", ".", "+", " - ", "_", "/", ",", ":", "\t", "\n", '","'),
    *("\u00a0", "\u2009", "\u2011", "\u2212", "\u200b", "\ufeff", "\ufffd"),
    *("%20", "&nbsp;", "&#160;", "\\u00a0"),
)


def luhn(digits: str) -> str:
    """Return the digits with the one that checks them (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * 2 for digit in digits[::-1][::2]]
    rest = [int(digit) for digit in digits[::-1][1::2]]
    total = sum(rest) + sum(digit - 9 * (digit > 9) for digit in doubled)
    return digits + str(-total % 10)


def _pan(prefix: str) -> str:
    return luhn(prefix + MARK)


VISA = _pan("492917")
AMEX = _pan("37471")
PANS = (VISA, AMEX, _pan("522718"), _pan("601117"), _pan("353017"), _pan("620017001"))


def cvv_of(pan: str) -> str:
    """Return a CVV of the right length."""
    return AMEX_CVV if pan.startswith("37") else CVV


def written(pan: str) -> tuple[str, ...]:
    """Return the number as people write it."""
    cuts = (4, 10) if pan.startswith("37") else (4, 8, 12)
    groups = [pan[a:b] for a, b in zip((0, *cuts), (*cuts, len(pan)), strict=True)]
    return pan, " ".join(groups), "-".join(groups)
