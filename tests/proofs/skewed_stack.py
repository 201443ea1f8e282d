"""`python -m tools.stack`, as on hosts whose clocks differ: see skew.py."""

import signal
import sys
from dataclasses import replace

from tests.proofs import skew
from tools.stack import run
from tools.stack.program import Program
from tools.stack.programs import Programs


class SkewedPrograms(Programs):
    """Each process of the gateway has its own clock; PostgreSQL and Envoy have the machine's."""

    def _python(self, module: str, *arguments: str, name: str, **more: object) -> Program:
        program = super()._python(module, *arguments, name=name, **more)  # type: ignore[arg-type]
        python, m, *words = program.command
        return replace(program, command=(python, m, *skew.module_of(name, words)))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # see tools/stack/__main__.py
    vars(run)["Programs"] = SkewedPrograms
    from tools.stack.commands import main

    sys.exit(main())
