"""What is written by hand is short: files of Python, tests too, and each of their functions."""

import ast
from collections.abc import Iterator

import pytest

from tests.committed import committed
from tools.stack.settings import REPOSITORY

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
MADE_BY_OTHERS = "build/"  # protoc writes it


def too_long(text: str) -> Iterator[str]:
    """Yield what is too long in a file: itself, or a function, its decorators not counted."""
    lines = len(text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"the file has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines"


def test_no_file_and_no_function_is_too_long() -> None:
    """Of what is too long the name says too little: it is split by what it is about."""
    names = [name for name in committed() if name.endswith(".py")]
    written = [name for name in names if not name.startswith(MADE_BY_OTHERS)]
    folders = {name.partition("/")[0] for name in written}
    assert folders >= {"services", "pkg", "tools", "bench", "clients", "tests"}
    found = {name: [*too_long((REPOSITORY / name).read_text("utf-8"))] for name in written}
    assert {name: said for name, said in found.items() if said} == {}


def function(lines: int, head: str = "def f():") -> str:
    """Return a function of that many lines."""
    return head + "\n    pass" * (lines - 1) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n" * 300, []),
        ("\n" * 301, ["the file has 301 lines"]),
        (function(60), []),
        (function(61), ["f has 61 lines"]),
        ("@decorated\n" + function(61, "async def f():"), ["f has 61 lines"]),
        ("class C:\n    def f(self):" + "\n        pass" * 60, ["f has 61 lines"]),
    ],
    ids=["a file", "a long file", "a function", "a long one", "a coroutine", "a method"],
)
def test_what_is_too_long_is_seen(text: str, said: list[str]) -> None:
    """At the limit nothing is said, and one line more is named."""
    assert [*too_long(text)] == said
