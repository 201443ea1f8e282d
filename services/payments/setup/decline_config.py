"""Settings of how often cards may be declined, for the processes that authorize."""

from pydantic import Field

from pkg.grpc.limits import Rate
from pkg.process.mode import Mode
from pkg.process.production import Objection, too_much
from pkg.process.starting import RoleSettings

CARD_DECLINES_PER_HOUR, KEY_DECLINES_PER_HOUR = 1.0, 3600.0


class DeclineSettings(RoleSettings):
    """How often one card, and all cards of one API key, may be declined in one process."""

    # None: on in production, off in the sandbox, whose tests are declined much. 0: off.
    card_declines_per_hour: float | None = Field(default=None, ge=0, le=1e6)
    card_declines_burst: int = Field(default=10, gt=0)
    key_declines_per_hour: float | None = Field(default=None, ge=0, le=1e9)
    key_declines_burst: int = Field(default=500, gt=0)

    @property
    def card_declines_rate(self) -> Rate | None:
        """How often one card may be declined; None for no limit."""
        per_hour = self.card_declines_per_hour
        return self._hourly(per_hour, CARD_DECLINES_PER_HOUR, self.card_declines_burst)

    @property
    def key_declines_rate(self) -> Rate | None:
        """How often cards may be declined that one API key authorizes on; None for no limit."""
        per_hour = self.key_declines_per_hour
        return self._hourly(per_hour, KEY_DECLINES_PER_HOUR, self.key_declines_burst)

    def refused_declines(self) -> list[Objection]:
        """Return what production refuses."""
        off = "must not be 0: whoever has a key could try out stolen cards"
        return [
            Objection("PAYGATE_CARD_DECLINES_PER_HOUR", off, self.card_declines_rate is None),
            Objection("PAYGATE_KEY_DECLINES_PER_HOUR", off, self.key_declines_rate is None),
            *(
                too_much(f"PAYGATE_{name}", value or 0, most=most)
                for name, value, most in (
                    ("CARD_DECLINES_PER_HOUR", self.card_declines_per_hour, 60),
                    ("CARD_DECLINES_BURST", self.card_declines_burst, 100),
                    ("KEY_DECLINES_PER_HOUR", self.key_declines_per_hour, 100_000),
                    ("KEY_DECLINES_BURST", self.key_declines_burst, 10_000),
                )
            ),
        ]

    def _hourly(self, told: float | None, in_production: float, burst: int) -> Rate | None:
        default = in_production if self.mode is Mode.PRODUCTION else 0.0
        per_hour = default if told is None else told
        return Rate(per_second=per_hour / 3600, burst=burst) if per_hour else None
