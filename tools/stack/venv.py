"""Makes .venv and installs what a lock file names; run by path, before anything is installed.

Whatever Python `python3` may be has to parse this file to read the sentence about its age: syntax
of Python 3.6, and nothing but the standard library.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYTHON_OLDEST = (3, 11)
PYTHON_KNOWN = 14
GLIBC_OLDEST = (2, 31)
MACOS_OLDEST = (15,)

REPOSITORY = Path(__file__).resolve().parents[2]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
# There while pip works: pip takes a package that it was interrupted in for a whole one.
UNFINISHED = VENV / ".unfinished"
SAY_SECONDS = 5.0  # how often a log is told how far it is
# What each lock file contains all of, in the same versions, itself included.
LOCAL, DEV = "requirements-local.lock", "requirements-dev.lock"
LOCKS = {
    LOCAL: (LOCAL,),
    DEV: (LOCAL, DEV),
    "requirements-bench.lock": (LOCAL, DEV, "requirements-bench.lock"),
    "requirements-ha.lock": (LOCAL, DEV, "requirements-ha.lock"),
}


def main(what: str) -> None:
    """Check `python`, or install a lock file."""
    check_python()
    if what == "python":
        return
    check_platform()
    # On the folder itself: the kernel releases it however this process ends.
    repository = os.open(str(REPOSITORY), os.O_RDONLY)
    try:
        fcntl.flock(repository, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another make is installing: waiting for it.")
        fcntl.flock(repository, fcntl.LOCK_EX)
    install(what)


def check_python() -> None:
    """End with a sentence if this Python is too old."""
    major, minor = sys.version_info[:2]
    if (major, minor) >= PYTHON_OLDEST:
        return
    names = [f"python3.{newer}" for newer in range(PYTHON_KNOWN, PYTHON_OLDEST[1] - 1, -1)]
    found = [name for name in names if works(name)]
    name = found[0] if found else names[0]
    fail(
        f"Python {major}.{minor} is too old: paygate needs Python 3.11 or newer"
        f" (if you have one: make PYTHON={name} run)."
    )


def check_platform() -> None:
    """End with a sentence where the packages of PostgreSQL and Envoy can't run."""
    problem = platform_problem()
    if problem:
        fail(problem)


def platform_problem() -> str:
    """Return why the packages of PostgreSQL and Envoy can't run here; nothing if they can."""
    machine = platform.machine()
    if sys.platform == "linux" and machine in {"x86_64", "aarch64"}:
        name, version = platform.libc_ver()
        if name == "glibc" and numbers(version) >= GLIBC_OLDEST:
            return ""
    if sys.platform == "darwin" and machine == "arm64":
        if numbers(platform.mac_ver()[0]) >= MACOS_OLDEST:
            return ""
    return (
        f"This platform, {platform.platform()}, is not supported: the packages of PostgreSQL and"
        " Envoy exist for Linux with glibc 2.31 or newer on x86_64 and aarch64, and for macOS 15"
        " or newer on Apple silicon."
    )


def install(lock: str) -> None:
    """Bring .venv up to what the lock file says, unless it is."""
    if UNFINISHED.exists() or (VENV.exists() and not works(str(PYTHON))):
        say("Removing a virtual environment that is not whole.")
        shutil.rmtree(str(VENV))
    if stamped(lock):
        return
    if not VENV.exists():
        make_venv()
    UNFINISHED.touch()
    pip_install(REPOSITORY / lock)
    for contained in LOCKS[lock]:
        stamp(contained).write_text(digest(contained))
    UNFINISHED.unlink()


def make_venv() -> None:
    """Make an empty virtual environment."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out of its python3
        import venv  # noqa: F401, PLC0415
    except ImportError:
        fail(
            "Python's venv module is missing: install it"
            " (Debian and Ubuntu: apt install python3-venv) and try again."
        )
    say(f"Making .venv with Python {platform.python_version()}.")
    VENV.mkdir()
    UNFINISHED.touch()
    made = subprocess.run(
        [base_python(), "-m", "venv", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if made.returncode:
        fail(f"The virtual environment .venv could not be made: {made.stdout.strip()}")


def base_python() -> str:
    """Return the Python that makes .venv: this one, or the one below it if this is .venv's own."""
    if Path(sys.prefix).resolve() != VENV:
        return sys.executable
    major, minor = sys.version_info[:2]
    return str(Path(sys.base_prefix) / "bin" / f"python{major}.{minor}")


def pip_install(lock: Path) -> None:
    """Run pip, and count the packages while it does."""
    total = sum(line[:1].isalnum() for line in lock.read_text().splitlines())
    say(f"Installing up to {total} packages from {lock.name}.")
    # The lock file names everything; what it leaves out of a package's wishes is not wanted.
    options = ["--require-hashes", "--no-deps", "--disable-pip-version-check"]
    options += ["--no-input", "--no-color"]
    command = [str(PYTHON), "-u", "-m", "pip", "install", *options, "-r", str(lock)]
    # Such as warnings about this machine's own settings: nobody can act on them.
    shown = Progress()
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, encoding="utf-8"
        ) as pip:
            show_progress(pip, total, shown)
        shown.end("failed" if pip.returncode else "installed")
        if pip.returncode:
            complaints.seek(0)
            sys.stderr.write(complaints.read().decode("utf-8", "replace"))
            fail(f"pip could not install {lock.name}; see above.")


def show_progress(pip: "subprocess.Popen[str]", total: int, shown: "Progress") -> None:
    """Count the packages that pip collects, then those that it has unpacked."""
    begun = 0
    for line in pip.stdout or ():
        words = line.split()
        if words[:1] == ["Collecting"]:
            begun += 1
            shown.tell(f"{begun} of {total}: {words[1].split('=')[0]}")
        elif words[:1] == ["Installing"]:
            show_unpacking(pip, total, shown)


def show_unpacking(pip: "subprocess.Popen[str]", total: int, shown: "Progress") -> None:
    """Count what pip has unpacked until it ends: it says nothing by itself, and takes longest."""
    while pip.poll() is None:
        done = sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))
        shown.tell(f"unpacked {done} of {total}" if done < total else "compiling")
        time.sleep(0.2)


class Progress:
    """How far it is, and since when: a passing line on a terminal, one now and then in a log."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()

    def tell(self, how_far: str) -> None:
        """Show it."""
        now = time.monotonic()
        line = f"  {now - self._began:5.1f} s  {how_far}"
        if sys.stdout.isatty():
            sys.stdout.write("\r\033[K" + line)
            sys.stdout.flush()
        elif now - self._said >= SAY_SECONDS:
            self._said = now
            say(line)

    def end(self, how: str) -> None:
        """Say how it ended, in the place of the passing line."""
        if sys.stdout.isatty():
            sys.stdout.write("\r\033[K")
        say(f"  {time.monotonic() - self._began:5.1f} s  {how}")


def stamped(lock: str) -> bool:
    """Say whether .venv holds what the lock file names."""
    return stamp(lock).exists() and stamp(lock).read_text() == digest(lock)


def stamp(lock: str) -> Path:
    """Return the file that says which version of the lock file is installed."""
    return VENV / f".installed-{lock}"


def digest(lock: str) -> str:
    """Return what identifies the lock file's contents."""
    return hashlib.sha256((REPOSITORY / lock).read_bytes()).hexdigest()


def works(python: str) -> bool:
    """Say whether this Python starts and is new enough."""
    question = f"import sys; sys.exit(sys.version_info[:2] < {PYTHON_OLDEST!r})"
    silent = subprocess.DEVNULL
    try:
        asked = subprocess.run([python, "-c", question], stdout=silent, stderr=silent, check=False)
    except OSError:
        return False
    return asked.returncode == 0


def numbers(version: str) -> "tuple[int, ...]":
    """Return `2.31` as (2, 31)."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def say(line: str) -> None:
    """Print one line, at once."""
    print(line, flush=True)


def fail(sentence: str) -> None:
    """End with one sentence."""
    sys.exit(f"paygate: {sentence}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        fail(f"The virtual environment .venv can't be used: {error}.")
