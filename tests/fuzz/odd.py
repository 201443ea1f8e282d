"""Values that mean trouble: the ends of ranges, and texts of every kind."""

from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from tests.sentinels import AMEX, written

DAY = 24 * 3600
INTEGERS = (
    *(0, 1, -1, 2, 12, 13, 100, 101, 255, 256, 9999, 10_000, 604_800, 604_801),
    *(10**12, 10**12 + 1, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, -(2**63)),
)
# None of these may be put where an address of another machine could come of it.
TEXTS = (
    *("", " ", "\0", "a\0b", "\x1f", "\x7f", "\x85", "\r\nx: y", "\t", "a" * 255, "a" * 256),
    *("ä" * 255, "😀" * 255, "😀" * 256, "a" * 5000, "\u202e\u2066", "\ufeff", "\uffff"),
    *("\U0010ffff", "e\u0301", "\u212b", "ﷺ" * 90, "null", "true", "NaN", "-0", "1e309", "0x10"),
    *("١٢٣", "𝟜𝟚", "²", "'; DROP TABLE payments; --", "%s%n", "{0}", "${jndi:x}", "\\u0000"),
    *("../../etc/passwd", "<b>", "pay_", "pay_01h455vb4pex5vsknk084sn02q", "pay_\u200b"),
    *("PAY_01H455VB4PEX5VSKNK084SN02Q", "we_7zzzzzzzzzzzzzzzzzzzzzzzzz", "tok_", "_", "a_b_c"),
    *("evt_80000000000000000000000000", "AAAA", "A" * 24, "====", "-_-_", "gbp", "GBp", "ＧＢＰ"),
    *("XXX", "XAU", "GBPGBP", "http://", "http://127.0.0.1:0/", "http://[::1", "ftp://a"),
    *("http://127.0.0.1:9/\n", "http://u:p@127.0.0.1/", "http://127.0.0.1:99999/", "http://0/"),
)
# What a database, or a limit in characters, trips over: these come more often.
WORST = ("\0", "a\0b", "a" * 256, "😀" * 256)
# A card's number where none belongs; not where the merchant's own words are shown again.
CARD_NUMBERS = written(AMEX)
SHOWN_AGAIN = {"reference", "description", "url"}
SECONDS_ODD = (
    *(0, 1, -1, DAY, 8 * DAY, 400 * DAY, 400 * DAY + 1, 10**9, 253402300799, 253402300800),
    *(-62135596800, -62135596801, 315576000001, 2**63 - 1, -(2**63)),
)
_RANGES = {
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_INT32 = (-(2**31), 2**31 - 1)  # an enum's value can be any, too


def odd_value(random: Random, field: Any) -> Any:
    """Return a value of the field's type that means trouble."""
    if field.cpp_type == field.CPPTYPE_STRING:
        texts = TEXTS if field.name in SHOWN_AGAIN else (*TEXTS, *CARD_NUMBERS)
        text = random.choice(WORST if random.random() < 0.3 else texts)
        return text.encode() if field.type == field.TYPE_BYTES else text
    if field.cpp_type == field.CPPTYPE_BOOL:
        return random.random() < 0.5
    if field.cpp_type in {field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT}:
        return random.choice((0.0, -0.0, 1e300, float("inf"), float("nan")))
    low, high = _RANGES.get(field.cpp_type, _INT32)
    return random.choice([one for one in INTEGERS if low <= one <= high])
