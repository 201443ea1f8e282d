"""What is recorded of calls to a bank and a vault that are not there: that they failed, and how."""

import pytest
from grpc import aio
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pkg.errors import DependencyUnavailableError
from pkg.observe.spans import Recorder
from pkg.secret import Secret
from services.payments.adapters.bank import GrpcAcquirer
from services.payments.adapters.bank_line import BankLine
from services.payments.adapters.vault.transit import TransitWrapper
from services.payments.domain.outcome import Unknown
from tests.builders import DETAILS, begun

NOWHERE = "127.0.0.1:9"


async def test_a_bank_that_is_away(recorder: Recorder, spans: InMemorySpanExporter) -> None:
    """The span has the status, and nothing of the card or of what gRPC says."""
    async with BankLine(lambda: aio.insecure_channel(NOWHERE), first_seconds=0) as line:
        bank = GrpcAcquirer(
            line, call_timeout_seconds=0.2, inquiry_timeout_seconds=5, tracer=recorder
        )
        assert await bank.authorize(begun()[0], DETAILS) == Unknown()
    (span,) = spans.get_finished_spans()
    assert span.name == "paygate.acquirer.v1.AcquirerService/Authorize"
    assert dict(span.attributes or {}) == {
        "rpc.system": "grpc",
        "rpc.service": "paygate.acquirer.v1.AcquirerService",
        "rpc.method": "Authorize",
        "rpc.grpc.status_code": 14,
        "error.type": "UNAVAILABLE",
    }
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description is None


async def test_a_vault_that_is_away(recorder: Recorder, spans: InMemorySpanExporter) -> None:
    """The span names the operation, and neither the key nor the merchant."""
    vault = TransitWrapper(
        f"http://{NOWHERE}", Secret("token"), key="paygate", timeout_seconds=5, tracer=recorder
    )
    with pytest.raises(DependencyUnavailableError):
        await vault.make("mer_a")
    await vault.close()
    (span,) = spans.get_finished_spans()
    assert span.name == "vault datakey"
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "error.type": "DependencyUnavailableError",
    }
