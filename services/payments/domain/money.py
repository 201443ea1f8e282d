"""Money: integer minor units of one ISO 4217 currency. No floats, no mixing."""

from pkg.values import value

# ISO 4217 exponents (list one, 2026-01-01): how many decimal digits the minor unit has.
# Codes without an exponent (XAU, XDR, XTS, XXX …) are no money one can charge, and are absent.
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


class MixedCurrenciesError(ValueError):
    """Two currencies met in one sum."""


@value(frozen=True, slots=True)
class Money:
    """An amount in minor units of `currency`: `Money(1000, "GBP")` is £10.00."""

    minor_units: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._must_match(other)
        return Money(self.minor_units + other.minor_units, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._must_match(other)
        return Money(self.minor_units - other.minor_units, self.currency)

    def __gt__(self, other: "Money") -> bool:
        self._must_match(other)
        return self.minor_units > other.minor_units

    def __bool__(self) -> bool:
        return self.minor_units != 0

    def zero(self) -> "Money":
        """Return nothing, in the same currency."""
        return Money(0, self.currency)

    def _must_match(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MixedCurrenciesError(f"{self.currency} and {other.currency} do not add up")
