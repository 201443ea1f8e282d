"""What the edge does with a client's trace: it takes the id over, and decides by itself."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from tests.collector import Collector
from tests.e2e.edge import Edge, Upstream, manager, rendered
from tools.edge.__main__ import TRACED
from tools.edge.tracing import Traces, trace
from tools.stack import envoy
from tools.stack.settings import REPOSITORY

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PATH = "/payment/pay_01m8542zavfj8rsw53v04cahtr"


@pytest.fixture(scope="module", params=[1.0, 0.0])
def recording(
    request: pytest.FixtureRequest,
    upstream: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Edge, float]]:
    """An edge that records all of the requests, and one that records none."""
    share: float = request.param
    with Collector() as collector:
        config = rendered(upstream)
        trace(config, Traces(url=f"{collector.url}/v1/traces", share=share))
        with Edge(config, tmp_path_factory.mktemp("edge")) as running:
            yield running, share


@pytest.mark.parametrize("flag", ["00", "01"])
def test_no_client_decides_whether_it_is_recorded(
    recording: tuple[Edge, float], upstream: Upstream, flag: str
) -> None:
    """The trace's id is the client's; whether it is recorded, and what else it says, is not."""
    edge, share = recording
    headers = {
        "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-{flag}",
        "tracestate": "pan=4242424242424242",
    }
    urllib3.request("GET", edge.url + PATH, headers=headers)

    metadata = upstream.calls[-1].metadata
    _, trace_id, span_id, sampled = str(metadata["traceparent"]).split("-")
    assert trace_id == TRACE_ID
    assert span_id != "00f067aa0ba902b7"
    assert sampled == ("01" if share else "00")
    assert "4242" not in str(metadata)


def test_an_edge_that_records_nothing_drops_the_header(edge: Edge, upstream: Upstream) -> None:
    """As all others that no service reads: strangers would decide what the services record."""
    headers = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
    urllib3.request("GET", edge.url + PATH, headers=headers)
    assert "traceparent" not in upstream.calls[-1].metadata


def test_production_can_have_traces(tmp_path: Path) -> None:
    """It has the spans, of a part of the requests, and nothing else is different."""
    output, url = tmp_path / "production.yaml", "http://collector:4318/v1/traces"
    command = (sys.executable, "-m", "tools.edge", "production", "--output", str(output))
    subprocess.run((*command, "--traces", url, "--share", "0.1"), cwd=REPOSITORY, check=True)
    config = yaml.safe_load(output.read_text())

    http = manager(config)
    sampler = http["tracing"]["provider"]["typed_config"]["sampler"]["typed_config"]
    assert sampler["sampling_percentage"] == {"numerator": 100_000, "denominator": "MILLION"}
    assert without_traces(config) == yaml.safe_load(envoy.PRODUCTION.read_text())


def test_containers_with_traces_have_the_same_edge() -> None:
    """What the profile `tracing` runs is envoy.yaml with spans."""
    config = yaml.safe_load(TRACED.read_text())
    del config["node"]
    assert without_traces(config) == yaml.safe_load(envoy.SOURCE.read_text())


def without_traces(config: dict[str, Any]) -> dict[str, Any]:
    """Take out all that has to do with traces."""
    http = manager(config)
    del http["tracing"], http["early_header_mutation_extensions"]
    assert config["static_resources"]["clusters"].pop()["name"] == "traces"
    return config
