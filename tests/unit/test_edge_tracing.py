"""Whether the edge makes spans, of how many requests, and where it sends them."""

import pytest

from tools.edge.tracing import Traces, wanted

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
URL = "http://collector:4318/v1/traces"


@pytest.mark.parametrize(
    ("environment", "traces"),
    [
        ({}, None),
        ({BASE: "http://collector:4318"}, Traces(url=URL)),
        ({BASE: "http://collector:4318/"}, Traces(url=URL)),
        (
            {BASE: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/here"},
            Traces(url="http://b/here"),
        ),
        ({BASE: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, None),
        ({BASE: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, None),
        (
            {
                BASE: "http://collector:4318",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.25",
            },
            Traces(url=URL, share=0.25),
        ),
        (
            {BASE: "http://collector:4318", "OTEL_TRACES_SAMPLER": "always_off"},
            Traces(url=URL, share=0.0),
        ),
    ],
)
def test_the_edge_reads_what_the_services_read(
    environment: dict[str, str], traces: Traces | None
) -> None:
    """The variables are OpenTelemetry's own."""
    assert wanted(environment) == traces


@pytest.mark.parametrize(
    "environment",
    [
        {BASE: "https://collector:4318"},
        {BASE: "collector:4318"},
        {BASE: "http://collector:many"},
        {
            BASE: "http://collector:4318",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "2",
        },
        {
            BASE: "http://collector:4318",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "half",
        },
    ],
)
def test_what_envoy_could_not_do_is_refused(environment: dict[str, str]) -> None:
    """Rather than spans that never arrive."""
    with pytest.raises(ValueError):  # noqa: PT011  # whose words depend on what is wrong
        wanted(environment)
