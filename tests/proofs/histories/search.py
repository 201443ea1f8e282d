"""Searches a history for an order of its steps that explains every reply, each in its time.

By Wing and Gong: of the steps that can come next, for nothing ended before they were asked for, one
is tried after another. What was reached once, in whichever order, is not looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.proofs.histories.spec import BUSY, LOOK, Call, State


@dataclass(frozen=True, slots=True)
class _Step:
    number: int  # of the call
    call: Call
    kind: str  # BEGIN, END or ONLY
    after: int  # the place of the step that has to come before; -1 for none
    invoked: float
    ended: float

    def taken(self, state: State) -> State | None:
        """Return the payment after this step; None if the reply can't be explained so."""
        call = self.call
        if self.kind == "BEGIN":
            return state.begin(self.number, call)
        if self.kind == "END":
            return state.end(self.number, call)
        if call.verb == LOOK:
            return state if state.seen == call.seen else None
        return state if state.refusal(call.verb, call.amount) == call.outcome else None


def is_linear(calls: Sequence[Call]) -> bool:
    """Say whether there is such an order."""
    steps = _steps(calls)
    all_done = (1 << len(steps)) - 1
    stack, known = [(0, State())], {(0, State())}
    while stack:
        done, state = stack.pop()
        if done == all_done:
            return True
        left = [place for place in range(len(steps)) if not done >> place & 1]
        latest = min(steps[place].ended for place in left)
        # What ended first is tried first, which is on top of the stack.
        for place in sorted(left, key=lambda one: -steps[one].ended):
            step = steps[place]
            if step.invoked > latest or (step.after >= 0 and not done >> step.after & 1):
                continue
            after = step.taken(state)
            reached = (done | 1 << place, after)
            if after is not None and reached not in known:
                known.add((reached[0], after))
                stack.append((reached[0], after))
    return False


def _steps(calls: Sequence[Call]) -> list[_Step]:
    steps: list[_Step] = []
    for number, call in enumerate(calls):
        if call.outcome == BUSY:
            continue
        if call.is_done:
            begins = len(steps)
            steps.append(_Step(number, call, "BEGIN", -1, call.invoked, call.told))
            steps.append(_Step(number, call, "END", begins, call.invoked, call.ended))
        else:
            steps.append(_Step(number, call, "ONLY", -1, call.invoked, call.ended))
    return steps
