"""The commands behind `make run`, `make ready` and `make reset`, and a part of `make check`.

An installed `paygate` has them, too: see tools/cli.
"""

import argparse
import os
import sys

from pkg.observe import log_stream
from tools.stack import folder, ready, settings
from tools.stack.errors import StackError
from tools.stack.screen import complain

READY_SECONDS_MAX = 120.0


def main() -> int:
    """Do what the command line says; return the exit code."""
    log_stream.install()
    arguments = _parser().parse_args()
    return perform(arguments.command, timeout=getattr(arguments, "timeout", READY_SECONDS_MAX))


def perform(command: str, *, timeout: float = READY_SECONDS_MAX) -> int:
    """Do what a command means, and return the exit code.

    Args:
        command: One of the parser's.
        timeout: Of `ready`, in seconds.
    """
    try:
        chosen = settings.load(os.environ)
        if command == "run":
            # Here, because only this command needs more than Python itself, and the messages.
            sys.path.append(str(settings.REPOSITORY / "build" / "python"))
            from tools.stack.run import run  # noqa: PLC0415

            run(chosen)
        elif command == "validate":
            from tools.stack.envoy import validate  # noqa: PLC0415

            validate()
        elif command == "ready":
            ready.wait(chosen, seconds_max=timeout)
            print(chosen.demo_env)
        elif folder.reset(chosen):
            print(f"Emptied {chosen.data_dir}.")
        else:
            print(f"There is nothing in {chosen.data_dir}.")
    except StackError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(f"{error.filename or 'A file'} can't be used: {error.strerror}.")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything and keep it running")
    waiting = commands.add_parser("ready", help="wait until it serves; print demo.env's path")
    waiting.add_argument("--timeout", type=float, default=READY_SECONDS_MAX, metavar="SECONDS")
    commands.add_parser("validate", help="let Envoy check envoy.yaml")
    commands.add_parser("reset", help="empty the data folder")
    return parser
