"""Keeps a stack running for one test run: `python keeper.py FOLDER COMMAND…`.

It ends the stack and removes the folder when no process of the test run holds the lock in it any
more. The kernel gives a lock back however its process ends, so no stack is left behind. It needs
nothing but Python, and goes on in the background, in a session of its own: Ctrl-C in a terminal
reaches the tests alone.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# In the folder.
USERS, OUTPUT, ENDED = "users", "output.txt", "ended"
_LOOK_SECONDS = 0.1
_STOP_SECONDS_MAX = 30.0


def keep(folder: Path, command: list[str]) -> None:
    """Run a command until the folder is left, and remove the folder."""
    with (folder / OUTPUT).open("wb") as output:
        stack = subprocess.Popen(  # noqa: S603 - the command that whoever runs the tests has installed
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_left(folder, stack)
    finally:
        stack.terminate()
        try:
            stack.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            stack.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_left(folder: Path, stack: subprocess.Popen[bytes]) -> None:
    """Wait for the lock that every process of the test run shares; tell them if the stack ends."""
    with (folder / USERS).open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if stack.poll() is not None:
                    (folder / ENDED).touch()
                time.sleep(_LOOK_SECONDS)
            else:
                return


if __name__ == "__main__":
    if os.fork():
        os._exit(0)  # whoever has started it need not wait for it
    os.setsid()
    os.umask(0o077)  # what the stack prints has an API key in it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    keep(Path(sys.argv[1]), sys.argv[2:])
