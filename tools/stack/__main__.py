"""`python -m tools.stack`."""

import signal
import sys

if __name__ == "__main__":
    # Until run.py has its own handlers nothing has been started: a signal may just end us, without
    # the traceback of half an import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tools.stack.commands import main

    sys.exit(main())
