"""Faults put into recorded histories. Each makes one that no order can explain, by construction.

The reason stands beside each; where a history has no place for a fault, there is None.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.proofs.histories.spec import AUTHORIZED, LOOK, Call, State

History = Sequence[Call]
Fault = Callable[[Random, History], list[Call] | None]


def lost_effect(dice: Random, calls: History) -> list[Call] | None:
    """The last look misses something that was acknowledged before it."""
    return _last_look(dice, calls, -1)


def doubled_effect(dice: Random, calls: History) -> list[Call] | None:
    """The last look has something twice: more than all that was acknowledged."""
    return _last_look(dice, calls, +1)


def stale_look(dice: Random, calls: History) -> list[Call] | None:
    """A look shows less than what had ended before it was asked for."""
    places = []
    for place, look in enumerate(calls[:-1]):
        before = [call for call in calls if call.effect and call.ended < look.invoked]
        if look.verb == LOOK and before:
            places.append((place, _sum(before, "CAPTURE"), _sum(before, "REFUND"), before))
    if not places:
        return None
    place, captured, refunded, before = dice.choice(places)
    missing = dice.choice(before)
    if missing.verb == "CAPTURE":
        captured -= missing.amount
    else:
        refunded -= missing.amount
    return _shown(calls, place, captured, refunded)


def early_look(dice: Random, calls: History) -> list[Call] | None:
    """A look shows what was only asked for after it had ended."""
    places = []
    for place, look in enumerate(calls[:-1]):
        if look.verb != LOOK:
            continue
        begun = [call for call in calls if call.effect and call.invoked <= look.ended]
        later = [call for call in calls if call.effect and call.invoked > look.ended]
        if later:
            places.append((place, begun, dice.choice(later)))
    if not places:
        return None
    place, begun, later_one = dice.choice(places)
    return _shown(
        calls, place, _sum([*begun, later_one], "CAPTURE"), _sum([*begun, later_one], "REFUND")
    )


def refused_but_done(dice: Random, calls: History) -> list[Call] | None:
    """Who was refused is missing no money, but it has moved: the last look has it."""
    places = [place for place, call in enumerate(calls) if call.effect]
    if not places:
        return None
    place = dice.choice(places)
    reasons = {"CAPTURE": "AMOUNT_EXCEEDS_CAPTURABLE", "REFUND": "AMOUNT_EXCEEDS_REFUNDABLE"}
    refused = replace(calls[place], outcome=reasons[calls[place].verb], sequence=0, seen=None)
    return _with(calls, place, refused)


def done_but_refused(dice: Random, calls: History) -> list[Call] | None:
    """Who was refused is told that it went well; the last look does not have it."""
    verbs = {"CAPTURE", "REFUND"}
    places = [
        place
        for place, call in enumerate(calls)
        if call.verb in verbs and not call.is_done and call.seen is None
    ]
    if not places:
        return None
    place = dice.choice(places)
    last = calls[-1].seen
    assert last is not None
    sequence = 1 + sum(call.sequence > 0 for call in calls) + 1
    done = replace(calls[place], outcome="SUCCEEDED", sequence=sequence, seen=last)
    return _with(calls, place, done)


def too_much(dice: Random, calls: History) -> list[Call] | None:
    """More is captured than was authorized, and everything says so."""
    last, moved = calls[-1].seen, [call for call in calls if call.verb == "CAPTURE" and call.effect]
    if last is None or not moved:
        return None
    place = calls.index(dice.choice(moved))
    more = AUTHORIZED + 1 - last.captured
    larger = replace(calls[place], amount=calls[place].amount + more)
    return _shown(_with(calls, place, larger), -1, AUTHORIZED + 1, last.refunded)


def same_sequence(dice: Random, calls: History) -> list[Call] | None:
    """Two actions have one place in the payment's history."""
    places = [place for place, call in enumerate(calls) if call.is_done]
    if len(places) < 2:
        return None
    one, other = dice.sample(places, 2)
    return _with(calls, one, replace(calls[one], sequence=calls[other].sequence))


def swapped_replies(dice: Random, calls: History) -> list[Call] | None:
    """Two captures, one after the other, are told each other's sums."""
    moved = [(place, call) for place, call in enumerate(calls) if call.effect]
    pairs = [
        (one, other)
        for one, first in moved
        for other, second in moved
        if first.ended < second.invoked and first.verb == second.verb
    ]
    if not pairs:
        return None
    one, other = dice.choice(pairs)
    swapped = _with(calls, one, replace(calls[one], seen=calls[other].seen))
    return _with(swapped, other, replace(calls[other], seen=calls[one].seen))


def done_after_the_end(dice: Random, calls: History) -> list[Call] | None:
    """A void is said to have gone well after money was captured."""
    captured = [call for call in calls if call.verb == "CAPTURE" and call.effect]
    last = calls[-1].seen
    if not captured or last is None:
        return None
    after = max(call.ended for call in calls)
    sequence = 1 + sum(call.sequence > 0 for call in calls) + 1
    void = Call("VOID", 0, False, "SUCCEEDED", after + 1, after + 2, after + 2, sequence, last)
    return [*calls, void]


def wrong_reason(dice: Random, calls: History) -> list[Call] | None:
    """Nothing is said to be captured, after a capture had ended."""
    places = []
    for place, call in enumerate(calls):
        before = [one for one in calls if one.verb == "CAPTURE" and one.effect]
        if call.verb in {"REFUND", "RELEASE"} and call.seen is None:
            places += [place] * any(one.ended < call.invoked for one in before)
    if not places:
        return None
    place = dice.choice(places)
    return _with(calls, place, replace(calls[place], outcome="NOT_CAPTURED"))


FAULTS: tuple[Fault, ...] = (
    *(lost_effect, doubled_effect, stale_look, early_look, refused_but_done, done_but_refused),
    *(too_much, same_sequence, swapped_replies, done_after_the_end, wrong_reason),
)


def _last_look(dice: Random, calls: History, sign: int) -> list[Call] | None:
    moved = [call for call in calls if call.effect]
    last = calls[-1].seen
    if not moved or last is None:
        return None
    one = dice.choice(moved)
    captured = last.captured + (sign * one.amount if one.verb == "CAPTURE" else 0)
    refunded = last.refunded + (sign * one.amount if one.verb == "REFUND" else 0)
    return _shown(calls, -1, captured, refunded)


def _sum(calls: History, verb: str) -> int:
    return sum(call.effect for call in calls if call.verb == verb)


def _shown(calls: History, place: int, captured: int, refunded: int) -> list[Call]:
    """Return the history with other sums in one look, which is sound in itself."""
    shown = calls[place].seen
    assert shown is not None
    over = shown.status in {"CAPTURED", "REFUNDED", "PARTIALLY_REFUNDED"}
    sums = State(captured=captured, refunded=refunded, over=over).seen
    return _with(calls, place, replace(calls[place], seen=sums))


def _with(calls: History, place: int, call: Call) -> list[Call]:
    changed = list(calls)
    changed[place] = call
    return changed
