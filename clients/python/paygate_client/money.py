"""Money: whole minor units of one ISO 4217 currency. No floats, no mixing."""

import re
from dataclasses import dataclass
from typing import Self

# How many decimal digits the minor unit has, by ISO 4217 (list one, 2026-01-01). What has none in
# that list, such as gold, cannot be charged.
_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD"
        " CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP"
        " GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK"
        " LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO"
        " NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS"
        " SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST"
        " XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS = {
    code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()
}

_WRITTEN = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))? ([A-Z]{3})")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `Money(1000, "GBP")` is £10.00, `Money(1000, "JPY")` is ¥1000.

    Attributes:
        minor_units: A whole number of the currency's smallest unit: pence, cents, yen, fils.
        currency: The ISO 4217 code in upper case.

    Raises:
        TypeError: `minor_units` is not an `int`, or `currency` not a `str`.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor_units) is not int or not isinstance(self.currency, str):
            raise TypeError("money is a whole number of minor units and the code of a currency")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an amount in the currency's main unit: `Money.parse("10.00 GBP")` is 1000 pence.

        Args:
            text: Digits, a point and decimals if there are any, a space, and the ISO 4217 code. At
                most as many decimals as the currency has: none for JPY, three for KWD.

        Raises:
            ValueError: It is not written like this, or is of a currency that is not known here:
                give its minor units to the class instead.
        """
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError('an amount is written like "10.00 GBP", in at most 15 digits')
        whole, decimals, currency = found[1], found[2] or "", found[3]
        exponent = EXPONENTS.get(currency)
        if exponent is None:
            raise ValueError(f"the currency {currency} is not known here")
        if len(decimals) > exponent:
            raise ValueError(f"an amount in {currency} has at most {exponent} decimals")
        return cls(int(whole + decimals.ljust(exponent, "0")), currency)

    def __str__(self) -> str:
        exponent = EXPONENTS.get(self.currency)
        if exponent is None:
            return f"{self.minor_units} minor units of {self.currency}"
        sign, digits = "-" * (self.minor_units < 0), str(abs(self.minor_units)).zfill(exponent + 1)
        cut = len(digits) - exponent
        point = "." if exponent else ""
        return f"{sign}{digits[:cut]}{point}{digits[cut:]} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def __add__(self, other: "Money") -> "Money":
        self._must_match(other)
        return Money(self.minor_units + other.minor_units, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._must_match(other)
        return Money(self.minor_units - other.minor_units, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._must_match(other)
        return self.minor_units < other.minor_units

    def __le__(self, other: "Money") -> bool:
        self._must_match(other)
        return self.minor_units <= other.minor_units

    def _must_match(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
