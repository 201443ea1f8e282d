"""The commands behind `make run`, `make ready`, `make reset` and a part of `make check`."""

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
    try:
        chosen = settings.load(os.environ)
        if arguments.command == "run":
            # Here, because only this command needs more than Python itself, and the messages.
            sys.path.append(str(settings.REPOSITORY / "build" / "python"))
            from tools.stack.run import run  # noqa: PLC0415

            run(chosen)
        elif arguments.command == "validate":
            from tools.stack.envoy import validate  # noqa: PLC0415

            validate()
        elif arguments.command == "ready":
            ready.wait(chosen, seconds_max=arguments.timeout)
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
