"""Requests and replies of listeners, who post webhooks on their own machines."""

from datetime import timedelta

from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from pkg.grpc.messages import Fields
from pkg.grpc.validation import TEXT_MAX_CHARACTERS, Checks
from pkg.ids import is_id
from services.payments.listening import Listener, ListenerAnswer, ListenerMessage

WAIT_DEFAULT, WAIT_MAX = timedelta(seconds=3), timedelta(seconds=4)
STATUS_MIN, STATUS_MAX = 100, 599
REPLY_CHARACTERS_MAX = 1_280
# As a delivery's attempts say it of every endpoint (services/events).
PROBLEMS = {
    pb.LISTENER_PROBLEM_CONNECTION_REFUSED: "connection refused",
    pb.LISTENER_PROBLEM_NO_ANSWER_IN_TIME: "no answer in time",
    pb.LISTENER_PROBLEM_NO_CONNECTION: "no connection",
}


def listener_of(request: pb.TakeWebhooksRequest, merchant_id: str) -> tuple[Listener, float]:
    """Return who takes, and for how many seconds it waits."""
    checks = Checks()
    _check_endpoint(checks, request.endpoint_id)
    checks.text("listener", request.listener)
    if not request.listener:
        checks.add("listener", f"must have 1 to {TEXT_MAX_CHARACTERS} characters")
    wait = WAIT_DEFAULT
    if request.HasField("wait"):
        wait = checks.duration("wait", request.wait, timedelta(0), WAIT_MAX, "0 to 4 seconds")
    checks.end()
    listener = Listener(
        merchant_id=merchant_id, endpoint_id=request.endpoint_id, name=request.listener
    )
    return listener, wait.total_seconds()


def answer_of(request: pb.AnswerWebhookRequest) -> ListenerAnswer:
    """Return what came of a message."""
    checks = Checks()
    _check_endpoint(checks, request.endpoint_id)
    if not is_id("msg", request.id):
        checks.add("id", "must be the id of a message")
    status, problem = request.status_code, PROBLEMS.get(request.problem, "")
    if status and not STATUS_MIN <= status <= STATUS_MAX:
        checks.add("status_code", f"must be 0, or from {STATUS_MIN} to {STATUS_MAX}")
    if bool(status) == bool(request.problem) or (request.problem and not problem):
        checks.add("problem", "must be given if, and only if, there was no answer")
    if len(request.reply) > REPLY_CHARACTERS_MAX:
        checks.add("reply", f"must have at most {REPLY_CHARACTERS_MAX:,} characters")
    checks.end()
    return ListenerAnswer(
        endpoint_id=request.endpoint_id,
        id=request.id,
        status_code=status,
        problem=problem,
        reply=request.reply.replace("\0", "\ufffd"),  # which PostgreSQL does not take
    )


def message_fields(message: ListenerMessage) -> Fields:
    """Return a message as listeners see it: a paygate.sandbox.v1.ListenerMessage."""
    return {
        "id": message.id,
        "event_id": message.event_id,
        "attempt": message.attempt,
        "taken_before": message.taken_before,
        "headers": message.headers,
        "body": message.body,
    }


def _check_endpoint(checks: Checks, endpoint_id: str) -> None:
    if not is_id("we", endpoint_id):
        checks.add("endpoint_id", "must be the id of a webhook endpoint")
