"""Spans of the edge, for those who trace: added to a configuration, which has none by itself.

The edge takes over a client's `traceparent`, and with it the trace's id, but not what it says about
being recorded: how many traces are recorded is ours to decide. That is decided here, by the id, and
the services follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

CLUSTER: Final = "traces"
SERVICE: Final = "paygate-edge"
PATH: Final = "/v1/traces"

_MILLION: Final = 1_000_000
_TRACERS: Final = "envoy.tracers.opentelemetry"
_SAMPLERS: Final = "type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3."
_MUTATION: Final = "envoy.http.early_header_mutation.header_mutation"
_RATIOS: Final = {"traceidratio", "parentbased_traceidratio"}
# And `peer.address`, which is a person's.
_CHOSEN_BY_CLIENTS: Final = (
    *("http.method", "http.url", "user_agent", "downstream_cluster", "peer.address"),
    *("grpc.path", "grpc.authority", "grpc.content_type", "grpc.message"),
)
_NONE: Final = {"always_off", "parentbased_always_off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where spans go, and of how many requests.

    Attributes:
        url: Of a collector's OTLP over HTTP, in plain text, such as `http://collector:4318/v1/traces`.
        share: Of the requests that are recorded, from 0 to 1.
    """

    url: str
    share: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what Envoy could not send to.

        Raises:
            ValueError: It can't be used; says why.
        """
        parts = urlsplit(self.url)
        if parts.scheme != "http" or not parts.hostname or parts.port == 0:
            raise ValueError("Envoy sends traces by plain HTTP, to a collector beside it")
        if not 0 <= self.share <= 1:
            raise ValueError("the share of traces that are recorded is from 0 to 1")


def wanted(environment: Mapping[str, str]) -> Traces | None:
    """Read OpenTelemetry's variables as the services do; None if they ask for no spans.

    Raises:
        ValueError: They ask for what Envoy can't do; says why.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return None
    url = environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
    if not url and (base := environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")):
        url = base.rstrip("/") + PATH
    if not url:
        return None
    sampler = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    share = 0.0 if sampler in _NONE else 1.0
    if sampler in _RATIOS:
        share = float(environment.get("OTEL_TRACES_SAMPLER_ARG", "") or 1.0)
    return Traces(url=url, share=share)


def trace(config: dict[str, Any], traces: Traces) -> None:
    """Have an edge make spans; see `Traces`."""
    resources = config["static_resources"]
    listener = next(one for one in resources["listeners"] if one["name"] == "edge")
    http = listener["filter_chains"][0]["filters"][-1]["typed_config"]  # of all chains
    http["tracing"] = {
        "provider": {"name": _TRACERS, "typed_config": _provider(traces)},
        # The one span is about the client's request; the services have their own.
        "spawn_upstream_span": False,
        **_silence(),
    }
    # Free text of a client's, which would stand in every span of its trace.
    http["early_header_mutation_extensions"] = [
        {
            "name": _MUTATION,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation"
                ".header_mutation.v3.HeaderMutation",
                "mutations": [{"remove": "tracestate"}],
            },
        }
    ]
    resources["clusters"].append(_cluster(traces))
    config.setdefault("node", {"id": "edge", "cluster": "paygate"})


def _provider(traces: Traces) -> dict[str, Any]:
    share = {"numerator": round(traces.share * _MILLION), "denominator": "MILLION"}
    return {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "service_name": SERVICE,
        "http_service": {
            "http_uri": {"uri": traces.url, "cluster": CLUSTER, "timeout": "5s"},
        },
        "sampler": {
            "name": f"{_TRACERS}.samplers.trace_id_ratio_based",
            "typed_config": {
                "@type": f"{_SAMPLERS}TraceIdRatioBasedSamplerConfig",
                "sampling_percentage": share,
            },
        },
    }


def _silence() -> dict[str, Any]:
    """Leave out what a client has chosen: a path, a name or a header may hold a card's number."""
    unsaid = [{"tag": tag, "literal": {"value": "-"}} for tag in _CHOSEN_BY_CLIENTS]
    return {
        "max_path_tag_length": 0,
        "custom_tags": [*unsaid, {"tag": "http.route", "value": "%ROUTE_NAME%"}],
    }


def _cluster(traces: Traces) -> dict[str, Any]:
    parts = urlsplit(traces.url)
    address = {"address": parts.hostname, "port_value": parts.port or 80}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": address}}}]}]
    return {
        "name": CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": endpoints},
    }
