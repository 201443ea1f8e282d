"""Examples of requests and replies: one story, told in examples.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).with_name("examples.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request and what it gets. What its fields mean examples.yaml says.

    Attributes:
        sent_as: Whose key it is sent with.
    """

    operation: str
    name: str
    says: str
    sent_as: str = "merchant"
    key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    text: str | None = None
    filler: int = 0
    reply: Any = None
    replayed: bool = False
    reason: str = ""
    status: int = 0
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Mapping[str, str] = field(default_factory=dict)
    meanwhile: bool = False
    times: int = 1


@cache
def story() -> tuple[Example, ...]:
    """Return all examples, in the order in which they are sent."""
    return tuple(Example(**step) for step in _read()["story"])


@cache
def events() -> Mapping[str, str]:
    """Return, by type of event, the example that made one, as `operation/name`."""
    return dict(_read()["events"])


@cache
def _read() -> Mapping[str, Any]:
    return dict(yaml.safe_load(FILE.read_text("utf-8")))


def examples_of(operation: str) -> tuple[Example, ...]:
    """Return the examples of one operation."""
    return tuple(example for example in story() if example.operation == operation)


def by_id(told: str) -> Example:
    """Return the example that is called `operation/name`."""
    (found,) = [one for one in story() if f"{one.operation}/{one.name}" == told]
    return found
