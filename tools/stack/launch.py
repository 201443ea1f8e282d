"""Becomes another program, after tying its life to the supervisor's and forbidding core dumps.

Run by path and isolated (`python -I -S launch.py …`), so it imports little and starts in
milliseconds. A separate program and not `preexec_fn`, because that runs Python between fork and
exec, which is unsafe once grpc has started its threads.

Arguments: supervisor's pid, signal to get when the supervisor dies, uid and gid to become (-1: stay
as we are), how many folders to open and their paths, then the command.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
FIRST_DESCRIPTOR = 200  # of the folders; see doors.py


def main() -> None:
    """Drop privileges, forbid core dumps, ask the kernel for a death signal, exec."""
    supervisor, death_signal, uid, gid, count = (int(argument) for argument in sys.argv[1:6])
    command = sys.argv[6 + count :]
    for number, folder in enumerate(sys.argv[6 : 6 + count], start=FIRST_DESCRIPTOR):
        os.dup2(os.open(folder, os.O_PATH), number)  # which the command inherits
    # What these programs have in memory, card numbers among it, must not end on a disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Which a shell in the background ignores, and a process keeps ignoring.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid, which clears it. Other systems have no such thing: see leftovers.py.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        # No program that it could start gives it rights that it has not got.
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != supervisor:
        sys.exit("The supervisor died before this process began.")
    os.execv(command[0], command)  # noqa: S606 - the command is the supervisor's own


if __name__ == "__main__":
    main()
