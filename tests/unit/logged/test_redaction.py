"""Nothing that is secret gets into a row of the request log, wherever a client writes it."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from paygate.events.v1 import event_pb2 as events
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from pkg.errors import ValidationFailedError
from pkg.grpc.calls import Call
from pkg.grpc.logged.entries import REPLY_BYTES_MAX, REQUEST_BYTES_MAX, entry_of
from pkg.grpc.logged.redaction import DIGITS_LEAD, HIDDEN_FIELDS, hidden_in, redacted
from services.events.sealing import new_secret, shown
from services.payments.api.refusals import refusal_of
from tests.leaks import Search, Secrets
from tests.sentinels import BETWEEN, CVV, PANS, VISA, cvv_of, written

KEY = "sk_" + "7" * 16 + "_" + "c3" * 32
TOKEN = "tok_" + "0a" * 13
SIGNING = shown(new_secret())
SECRETS = Secrets(
    pans=PANS,
    cvvs=tuple({cvv_of(pan) for pan in PANS}),
    api_keys=(KEY,),
    signing_secrets=(SIGNING,),
)
SEARCH = Search(SECRETS)
SERVICES = (
    payments.DESCRIPTOR.services_by_name["PaymentService"],
    hooks.DESCRIPTOR.services_by_name["WebhookService"],
    sandbox.DESCRIPTOR.services_by_name["SandboxService"],
)
METHODS = {
    f"/{service.full_name}/{method.name}": method
    for service in SERVICES
    for method in service.methods
}
# Names that tell of a secret, of fields that hold none.
HARMLESS = {"page_token", "next_page_token", "idempotency_key", "key_id"}
CARRIED = st.sampled_from([KEY, SIGNING, *(way for pan in PANS for way in written(pan))])
AROUND = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def filled(message: Any, text: str, pan: str, depth: int = 0) -> Any:
    """Put a text into every field of a message that takes one, and a card where cards are."""
    for field in message.DESCRIPTOR.fields:
        inner = field.message_type
        if inner is not None:
            if inner.GetOptions().map_entry:
                getattr(message, field.name)[text] = text
            elif depth < 4 and inner.full_name.startswith("paygate."):
                value = getattr(message, field.name)
                filled(value.add() if field.is_repeated else value, text, pan, depth + 1)
        elif field.cpp_type == field.CPPTYPE_STRING:
            told = {"pan": pan, "cvv": cvv_of(pan)}.get(field.name, text)
            if field.is_repeated:
                getattr(message, field.name).append(told)
            elif not (field.containing_oneof and message.WhichOneof(field.containing_oneof.name)):
                setattr(message, field.name, told)
    return message


def told(row: tuple[object, ...]) -> bytes:
    """Return all of a row, as bytes."""
    return b"\n".join(one if isinstance(one, bytes) else str(one).encode() for one in row)


@given(
    method=st.sampled_from(sorted(METHODS)),
    secret=CARRIED,
    before=AROUND,
    after=AROUND,
    pan=st.sampled_from(PANS),
)
def test_no_secret_gets_into_a_row(
    method: str, secret: str, before: str, after: str, pan: str
) -> None:
    """Whatever field of whatever request or reply it is in, and if it is sent as a key or an id."""
    text, described = f"{before}{secret}{after}", METHODS[method]
    request = filled(GetMessageClass(described.input_type)(), text, pan)
    reply = filled(GetMessageClass(described.output_type)(), text, pan)
    metadata = {"idempotency-key": [text], "authorization": [f"Bearer {KEY}"]}
    call = Call(method, secret, metadata, merchant_id="mer_a", request=request, reply=reply)
    call.reply = reply if len(after) % 2 else reply.SerializeToString()
    assert SEARCH.of(told((request.SerializeToString(), pan)))  # it is there to be found
    row = entry_of((1.0, 0.1, "", call))
    assert not SEARCH.of(told(row))
    assert (row[13], row[15]) != (None, None)


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("zero", ["0", "\u0660", "\u0966", "\uff10"])
def test_a_number_is_hidden_however_it_is_written(between: str, zero: str) -> None:
    """With whatever is between its digits, seen or not, and in digits of any script."""
    digits = "".join(chr(ord(zero) + int(digit)) for digit in VISA)
    text = between.join(digits[place : place + 4] for place in range(0, len(digits), 4))
    request = payments.CaptureRequest(reference=f"card {text}!")
    kept = payments.CaptureRequest.FromString(redacted(request))
    assert kept.reference == f"card ••••{digits[-4:]}!"
    assert hidden_in(text) == f"••••{digits[-4:]}"


def test_digits_of_every_script_are_looked_for() -> None:
    """Also of those that come to Unicode with a later Python."""
    everything = map(chr, range(0x80, sys.maxunicode + 1))
    assert {one.encode()[0] for one in everything if one.isdecimal()} <= set(DIGITS_LEAD)


@given(st.lists(st.sampled_from([*"0123456789" * 3, *BETWEEN, "a", "\u0660", TOKEN, KEY])))
def test_a_field_is_hidden_as_any_text_is(pieces: list[str]) -> None:
    """What is not looked at closely, because it takes long, has nothing to hide."""
    text = "".join(pieces)
    kept = payments.CaptureRequest.FromString(redacted(payments.CaptureRequest(reference=text)))
    assert kept.reference == hidden_in(text)


@pytest.mark.parametrize(
    "text",
    ["1" * 12, "1234%A05678%A09012", "sk_abcdefghabcdefgh_", "whsec_abcdefgh", "tok_" + "ab" * 13],
)
def test_each_kind_is_hidden_in_a_message(text: str) -> None:
    """The shortest of each, in which nothing else makes anybody look."""
    kept = payments.CaptureRequest.FromString(redacted(payments.CaptureRequest(reference=text)))
    assert kept.reference == hidden_in(text) != text


def test_a_refusal_repeats_no_secret() -> None:
    """What the client was told is kept instead of a reply, with the request as it was."""
    card = pb.CardDetails(pan=VISA + "x", cvv=CVV, expiry=pb.Expiry(month=1, year=2020))
    refusal = refusal_of(ValidationFailedError({"card_details.pan": "is not a valid card number"}))
    call = Call("/paygate.payments.v1.PaymentService/Authorize", VISA, {}, merchant_id="mer_a")
    call.request, call.refusal = payments.AuthorizeRequest(card_details=card), refusal
    row = told(entry_of((1.0, 0.1, "", call)))
    assert b"is not a valid card number" in row
    assert not SEARCH.of(row)


def test_fields_that_nobody_knows_are_dropped() -> None:
    """A client of gRPC may send any, and protobuf keeps them."""
    request = payments.CaptureRequest()
    request.MergeFromString(events.PaymentEvent(request_id=VISA).SerializeToString())
    assert VISA.encode() in request.SerializeToString()
    assert VISA[:-4].encode() not in redacted(request)


def test_what_stays_is_enough_to_recognise_it() -> None:
    """The last four digits of a card, the kind of a key; and the message itself is as it was."""
    card = pb.CardDetails(pan="4929 1771 8364 0591", cvv=CVV)
    request = payments.AuthorizeRequest(
        card_details=card, reference=f"sent {KEY} to 4242424242424242"
    )
    kept = payments.AuthorizeRequest.FromString(redacted(request))
    assert kept.card_details == pb.CardDetails(pan="••••••••••••0591")
    assert kept.reference == "sent sk_•••• to ••••4242"
    assert request.card_details == card
    made = hooks.CreateWebhookEndpointResponse(secret=SIGNING)
    assert hooks.CreateWebhookEndpointResponse.FromString(redacted(made)).secret == "whsec_••••"


@pytest.mark.parametrize(
    "text",
    [
        "order-1001",
        "pay_01kb6xq3v8f5sa0c9w2m4e7t1h",
        "12345678-1234-4234-8234-123456789012",
        "2026-11-28 12:00",
        "2026-11-28 12:00:59.123",
        "order 10045, 2026-11-28",
        "task_force",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """References, ids, UUIDs of digits alone, times."""
    assert hidden_in(text) == text
    request = payments.CaptureRequest(authorization_id=text, reference=text)
    assert redacted(request) == request.SerializeToString()


def test_what_is_too_large_is_left_out() -> None:
    """Its size is kept; of a reply that is bytes already, too."""
    request = payments.CaptureRequest(reference="ä" * REQUEST_BYTES_MAX)
    call = Call("/paygate.payments.v1.PaymentService/Capture", "id", {}, merchant_id="mer_a")
    call.request, call.reply = request, bytes(REPLY_BYTES_MAX + 1)
    row = entry_of((1.0, 0.1, "", call))
    assert row[13:15] == (None, request.ByteSize())
    assert row[15:] == (None, REPLY_BYTES_MAX + 1)


def test_no_field_that_may_hold_a_secret_is_forgotten() -> None:
    """A new field whose name tells of one is hidden, or is said here to be harmless."""
    suspicious = ("pan", "cvv", "secret", "token", "key", "password")
    names = {name for name in names_of(*METHODS.values()) if any(one in name for one in suspicious)}
    assert names - HARMLESS == set(HIDDEN_FIELDS)


def names_of(*methods: Any) -> Iterator[str]:
    """Return the names of all texts in requests and replies."""
    todo, seen = (
        [one for method in methods for one in (method.input_type, method.output_type)],
        set(),
    )
    while todo:
        described = todo.pop()
        if described.full_name in seen or not described.full_name.startswith("paygate."):
            continue
        if described.GetOptions().map_entry:
            continue  # its names are data
        seen.add(described.full_name)
        for field in described.fields:
            if field.message_type is not None:
                todo.append(field.message_type)
            elif field.cpp_type == field.CPPTYPE_STRING and described.file.package.startswith(
                "paygate"
            ):
                yield field.name
