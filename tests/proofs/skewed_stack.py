"""`python -m tests.proofs.skewed_stack` is `python -m tools.stack`, on hosts whose clocks differ.

PostgreSQL and Envoy have the machine's clock; each process of the gateway has its own, by skew.py.
"""

import signal
import sys
from dataclasses import replace

from tests.proofs import skew
from tools.stack.program import Program
from tools.stack.settings import REPOSITORY


def main() -> int:
    """Do what the command line says; return the exit code."""
    sys.path.append(str(REPOSITORY / "build" / "python"))  # as tools/stack/commands.py does
    from tools.stack import run  # noqa: PLC0415 -- now that they find the protos
    from tools.stack.commands import main as command  # noqa: PLC0415
    from tools.stack.programs import Programs  # noqa: PLC0415

    class Skewed(Programs):
        def _python(self, module: str, *arguments: str, name: str, **more: object) -> Program:
            program = super()._python(module, *arguments, name=name, **more)  # type: ignore[arg-type]
            python, m, *words = program.command
            return replace(program, command=(python, m, *skew.module_of(name, words)))

    vars(run)["Programs"] = Skewed
    return command()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # see tools/stack/__main__.py
    sys.exit(main())
