"""The TypeScript client's example, against the real gateway."""

from tests.e2e.stack import Stack
from tests.e2e.test_documents import blocks
from tests.typescript import CLIENT, EXAMPLE_PRINTS, needs_node_modules, run_example


@needs_node_modules
def test_the_readmes_example_prints_what_is_shown(stack: Stack) -> None:
    """The README shows the example as it is, and what it prints."""
    found = {block.language: block.text for block in blocks((CLIENT / "README.md").read_text())}
    assert found["typescript"] == (CLIENT / "example.ts").read_text()
    assert found["text"] == EXAMPLE_PRINTS
    ended = run_example(stack.demo_env())
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", EXAMPLE_PRINTS)
