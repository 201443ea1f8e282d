"""Settings that several servers share."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from pkg.grpc.limits import Buckets, CallerLimits, Rate
from pkg.grpc.server import Ending
from pkg.grpc.servers.make import ServerKind
from pkg.grpc.shares import Shares
from pkg.grpc.tls import Identity, check_authority
from pkg.observe.metrics import Metrics
from pkg.process import timing
from pkg.process.mode import Mode
from pkg.process.production import Objection, too_much
from pkg.process.repeating import meanwhile
from pkg.process.replicas import watch_replicas
from pkg.process.settings import ServiceSettings, time_of
from pkg.process.starting import RoleSettings
from pkg.process.timing import Time

CALLS_PER_SECOND = 100.0
FAILURES_PER_SECOND = 1.0
# Of the calls that may be under way, reads of one merchant that wait for their turn are an eighth.
READS_WAITING_SHARE = 8
# In production: more than a process can do, or than somebody mistypes.
CALLS_PER_SECOND_MAX, CALLS_BURST_MAX = 1_000, 10_000
FAILURES_PER_SECOND_MAX, FAILURES_BURST_MAX = 10, 1_000
IN_FLIGHT_MAX = 4_096


def _checked(path: Path) -> Path:
    check_authority(path)
    return path


AuthorityFile = Annotated[Path, AfterValidator(_checked)]


class GrpcSettings(ServiceSettings):
    """What stands between gRPC and a process of ours. All processes go by the one variable."""

    grpc_server: ServerKind = Field(default=ServerKind.CORE, validation_alias="PAYGATE_GRPC_SERVER")


class TlsSettings(ServiceSettings):
    """What a server says who it is with, and whom it lets in; plain text without a certificate."""

    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: AuthorityFile | None = None

    @property
    def identity(self) -> Identity | None:
        """Who the process is; None if it has no certificate."""
        if self.tls_certificate_file is None or self.tls_key_file is None:
            return None
        return Identity(
            certificate=self.tls_certificate_file,
            key=self.tls_key_file,
            client_ca=self.tls_client_ca_file,
        )

    def refused_to_listeners(self) -> list[Objection]:
        """Return what production refuses of a process that others connect to."""
        prefix = self.model_config.get("env_prefix", "")
        return [
            Objection(
                f"{prefix}TLS_CERTIFICATE_FILE",
                "is missing: this process would listen in plain text",
                self.identity is None,
            ),
            Objection(
                f"{prefix}TLS_CLIENT_CA_FILE",
                "is missing: whoever reaches the port could call, and claim any address",
                self.tls_client_ca_file is None,
            ),
        ]

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        pair = (self.tls_certificate_file, self.tls_key_file)
        if pair.count(None) == 1 or (self.tls_client_ca_file and not self.identity):
            raise ValueError(f"{prefix}TLS_CERTIFICATE_FILE and {prefix}TLS_KEY_FILE go together")
        if self.identity:
            self.identity.check()
        return self


class ServerSettings(TlsSettings, GrpcSettings, RoleSettings):
    """What each server of the gateway is told beside its own."""

    in_flight_max: int = Field(default=256, gt=0)

    database_timeout_seconds: float = Field(default=2.0, gt=0)
    # What the edge waits for an answer: see envoy.yaml.
    edge_timeout_seconds: float = Field(default=5.0, gt=0)
    # The edge asks once a second, and waits a second for the answer.
    drain_notice_seconds: float = Field(default=2.0, ge=0)

    # None: on in production, off in the sandbox. 0: off.
    rate_limit_per_second: float | None = Field(default=None, ge=0, le=1e6)
    rate_limit_burst: int = Field(default=200, gt=0)
    # A number, or the name of a service whose addresses are counted.
    rate_limit_shared_by: str = Field(
        default="1", pattern=r"^([1-9]\d{0,3}|[A-Za-z][A-Za-z0-9.-]{0,252})$"
    )
    authentication_failures_per_second: float | None = Field(default=None, ge=0, le=1e6)
    authentication_failures_burst: int = Field(default=20, gt=0)

    @property
    def turn(self) -> Time:
        """How long a read may wait for its merchant's turn."""
        return timing.turn(
            database=time_of(self, "database_timeout_seconds"),
            edge=time_of(self, "edge_timeout_seconds"),
        )

    @property
    def ending(self) -> Ending:
        """How a server ends that load balancers ask for its health."""
        return replace(super().ending, notice_seconds=self.drain_notice_seconds)

    @property
    def calls_rate(self) -> Rate | None:
        """What an API key may ask for; None for no limit."""
        return self._rate(self.rate_limit_per_second, CALLS_PER_SECOND, self.rate_limit_burst)

    @property
    def failures_rate(self) -> Rate | None:
        """How often authentication may fail for an address; None for no limit."""
        return self._rate(
            self.authentication_failures_per_second,
            FAILURES_PER_SECOND,
            self.authentication_failures_burst,
        )

    def refused_to_servers(self) -> list[Objection]:
        """Return what production refuses of a process that serves."""
        calls, failures = "PAYGATE_RATE_LIMIT", "PAYGATE_AUTHENTICATION_FAILURES"
        return [
            *self.refused_to_listeners(),
            *_refused_rate(
                calls, self.calls_rate, per_second=CALLS_PER_SECOND_MAX, burst=CALLS_BURST_MAX
            ),
            *_refused_rate(
                failures,
                self.failures_rate,
                per_second=FAILURES_PER_SECOND_MAX,
                burst=FAILURES_BURST_MAX,
            ),
            too_much("PAYGATE_IN_FLIGHT_MAX", self.in_flight_max, most=IN_FLIGHT_MAX),
        ]

    def caller_limits(self, metrics: Metrics) -> CallerLimits:
        """Return fresh buckets for one process, which counts what they refuse."""
        calls, failures = self.calls_rate, self.failures_rate
        limited = metrics.counter(
            "paygate_rate_limited_total",
            "Calls that were refused because their key made too many, their address failed"
            " authentication too often, or their merchant reads too much at once or has its share"
            " of the places for calls.",
            ("kind",),
        )
        for kind in ("key", "address", "merchant", "places"):
            limited.of(kind)
        limits = CallerLimits(
            calls=Buckets(calls) if calls else None,
            failures=Buckets(failures) if failures else None,
            reads=Shares(
                waiting_max=max(1, self.in_flight_max // READS_WAITING_SHARE),
                wait_seconds_max=self.turn.seconds,
                refused=limited.of("merchant").inc,
            ),
            refused=lambda kind: limited.of(kind).inc(),
        )
        if self.rate_limit_shared_by.isdecimal():
            limits.shared_by(int(self.rate_limit_shared_by))
        return limits

    def sharing(self, limits: CallerLimits) -> AbstractAsyncContextManager[None]:
        """Count those who share the limit while the block runs, if they are told by a name."""
        name = self.rate_limit_shared_by
        if self.calls_rate is None or name.isdecimal():
            return nullcontext()
        return meanwhile(watch_replicas(name, limits.shared_by))

    def _rate(self, told: float | None, in_production: float, burst: int) -> Rate | None:
        default = in_production if self.mode is Mode.PRODUCTION else 0.0
        per_second = default if told is None else told
        return Rate(per_second=per_second, burst=burst) if per_second else None


def _refused_rate(name: str, rate: Rate | None, *, per_second: int, burst: int) -> list[Objection]:
    """Return what is said of a limit that is off, or so high that it limits nothing."""
    setting = f"{name}_PER_SECOND"
    if rate is None:
        return [Objection(setting, "must not be 0: nothing would be limited", True)]
    return [
        too_much(setting, rate.per_second, most=per_second),
        too_much(f"{name}_BURST", rate.burst, most=burst),
    ]
