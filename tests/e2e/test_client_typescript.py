"""The TypeScript client's example, against the real gateway."""

from tests.e2e.stack import Stack
from tests.e2e.test_documents import blocks
from tests.typescript import CLIENT, EXAMPLE_PRINTS, needs_node_modules, run_example


@needs_node_modules
def test_the_readmes_example_prints_what_is_shown(stack: Stack) -> None:
    """The README shows both programs as they are; `test_client_watch.py` runs the second."""
    found = blocks((CLIENT / "README.md").read_text())
    programs = [block.text for block in found if block.language == "typescript"]
    assert programs == [(CLIENT / name).read_text() for name in ("example.ts", "follow.ts")]
    assert [block.text for block in found if block.language == "text"] == [EXAMPLE_PRINTS]
    ended = run_example(stack.demo_env())
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", EXAMPLE_PRINTS)
