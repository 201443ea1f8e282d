"""`paygate bank rules …`: rules decide instead of the card's number."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from paygate_client import BankEffect, BankRule, BankVerb, Brand, DeclineCode, Money
from paygate_client import _bank_requests as calls
from services.payments.cli.output import Json, as_json_lines, note, say
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, count, show, text, when, word
from tools.cli.options import Key, amount, id_of, length, one_of, time, word_option

app = typer.Typer(no_args_is_help=True, help="Rules decide instead of the card's number.")

EffectKind = Annotated[
    BankEffect,
    typer.Argument(
        help="What the bank does: approve, decline, lose-request, lose-reply or unavailable.",
        parser=one_of(BankEffect),
        metavar="EFFECT",
        show_default=False,
    ),
]
Code = Annotated[
    DeclineCode | None,
    word_option(DeclineCode, "Why it declines, such as lost-card.", "CODE"),
]
Verb = Annotated[
    BankVerb | None,
    word_option(BankVerb, "Only for authorize, capture, void or refund.", "VERB"),
]
AtLeast = Annotated[
    Money | None,
    typer.Option(help="Only of this amount or more.", parser=amount, metavar="AMOUNT"),
]
AtMost = Annotated[
    Money | None,
    typer.Option(help="Only of this amount or less.", parser=amount, metavar="AMOUNT"),
]
Currency = Annotated[str, typer.Option(help="Only in this currency, such as GBP.")]
Network = Annotated[
    Brand | None,
    word_option(Brand, "Only with cards of this network.", "BRAND"),
]
Last4 = Annotated[str, typer.Option(help="Only with cards whose numbers end so.")]
Prefix = Annotated[
    str, typer.Option(help="Only if the reference of the payment or the operation begins so.")
]
Times = Annotated[int | None, typer.Option(min=1, help="For so many operations.")]
Percent = Annotated[int | None, typer.Option(min=1, max=100, help="For so many of 100 operations.")]
Delay = Annotated[
    timedelta | None,
    typer.Option(help="The bank's reply comes so much later.", parser=length, metavar="LENGTH"),
]
Jitter = Annotated[
    timedelta | None,
    typer.Option(help="And up to so much later still.", parser=length, metavar="LENGTH"),
]
From = Annotated[
    datetime | None,
    typer.Option("--from", help="From this time on.", parser=time, metavar="TIME"),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", help="Before this time.", parser=time, metavar="TIME"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the rule's id alone.")]

_MATCHED = (
    *("verb", "minor_units_min", "minor_units_max", "currency", "brand", "last4"),
    "reference_prefix",
)
_ANY = "_UNSPECIFIED"


def _if(rule: gateway.Json) -> str:
    """Return what a rule is for: `verb=capture currency=GBP`."""
    told = {name: str(rule["match"][name]) for name in _MATCHED}
    words = [
        f"{name}={word(value) if name in {'verb', 'brand'} else value}"
        for name, value in told.items()
        if value not in {"", "0"} and not value.endswith(_ANY)
    ]
    return " ".join(words) or "anything"


def _then(rule: gateway.Json) -> str:
    """Return what the bank does: `decline lost_card`."""
    effect = rule["effect"]
    code = effect["decline_code"]
    words = [word(effect["kind"]), "" if code.endswith(_ANY) else word(code)]
    words += [f"{name} {effect[name]}" for name in ("delay", "jitter") if effect[name] != "0s"]
    words += [f"{rule['percent']} %"] if 0 < int(rule["percent"]) < 100 else []
    return " ".join(filter(None, words))


RULES: tuple[Column, ...] = (
    ("ID", text("id")),
    ("IF", _if),
    ("THEN", _then),
    ("HITS", count("hits")),
    ("LEFT", lambda one: one["times_left"] if one["times"] != "0" else "-"),
    ("FROM", lambda one: when(one.get("active_from"))),
    ("UNTIL", lambda one: when(one.get("active_until"))),
)


@app.command()
def add(
    effect: EffectKind,
    *,
    decline_code: Code = None,
    verb: Verb = None,
    at_least: AtLeast = None,
    at_most: AtMost = None,
    currency: Currency = "",
    brand: Network = None,
    last4: Last4 = "",
    reference_prefix: Prefix = "",
    times: Times = None,
    percent: Percent = None,
    delay: Delay = None,
    jitter: Jitter = None,
    active_from: From = None,
    active_until: Until = None,
    key: Key = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Have the bank do something else than the card's number says; the first rule that fits counts.

    Times are those of the merchant's clock.
    """
    rule = BankRule(
        effect=effect,
        decline_code=decline_code,
        verb=verb,
        minor_units_min=at_least.minor_units if at_least else None,
        minor_units_max=at_most.minor_units if at_most else None,
        currency=_only_currency(currency, at_least, at_most),
        brand=brand,
        last4=last4,
        reference_prefix=reference_prefix,
        times=times,
        percent=percent,
        delay=delay or timedelta(0),
        jitter=jitter or timedelta(0),
        active_from=active_from,
        active_until=active_until,
    )
    with opened() as api:
        reply = api.send(calls.create_rule(rule), key)
    _show(reply, quiet=quiet, json=json)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the rules in the order in which they were made."""
    with opened() as api:
        show(api.send(calls.list_rules())["rules"], RULES, json=json)


@app.command()
def remove(rule_id: Annotated[str, id_of("The rule's id: rule_…")]) -> None:
    """Remove a rule; what was decided by it stays."""
    with opened() as api:
        api.send(calls.delete_rule(rule_id))
    note(f"The rule {rule_id} is removed.")


def _show(reply: gateway.Json, *, quiet: bool, json: bool) -> None:
    if json:
        as_json_lines([reply])
    elif quiet:
        say(reply["rule"]["id"])
    else:
        show([reply["rule"]], RULES, json=False)


def _only_currency(currency: str, *bounds: Money | None) -> str:
    """Return the one currency of a rule: amounts bring theirs.

    Raises:
        typer.BadParameter: There are two.
    """
    named = {one.currency for one in bounds if one} | ({currency} if currency else set())
    if len(named) > 1:
        raise typer.BadParameter(
            "a rule has one currency", param_hint="--at-least, --at-most, --currency"
        )
    return named.pop() if named else ""
