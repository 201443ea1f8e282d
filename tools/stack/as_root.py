"""What root prepares for programs that do not run as root."""

import compileall
import os
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from pkg.process.called import INSTALLED, ROOT
from tools.stack import folder
from tools.stack.errors import StackError
from tools.stack.program import User
from tools.stack.screen import Screen
from tools.stack.settings import REPOSITORY, Settings, keyring_before
from tools.stack.users import give, may

UNPRIVILEGED_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
COMPILED = ("services", "pkg", "build/python")
# For what is compiled; the stack itself makes nothing that others may read.
OTHERS_READ = 0o022
# There where the packages beside the tree are compiled, for this version of Python.
PACKAGES_COMPILED = Path(cache_from_source(str(ROOT / "packages.py")))


def prepare(settings: Settings, services: User, screen: Screen) -> None:
    """Give the services what is theirs, and say what they could not use.

    Raises:
        StackError: They could not run; one sentence says why.
    """
    lowest = int(UNPRIVILEGED_PORT.read_text())
    if settings.port < lowest:
        raise StackError(
            f"Nothing runs as root here, and others can't listen on port {settings.port}:"
            f" choose one from {lowest} on with PAYGATE_PORT."
        )
    if not may(services, "-x", settings.data_dir):
        raise StackError(
            f"Nothing runs as root here, and other users can't enter {settings.data_dir}:"
            " choose a data folder that others may enter, with PAYGATE_DATA_DIR."
        )
    _prepare_keyring(settings, services)
    # They may not write beside the source: without this each start would compile everything.
    for name in COMPILED:
        compile_for_others(REPOSITORY / name)
    if INSTALLED and not PACKAGES_COMPILED.exists():
        screen.say("Compiling what was installed, once.")
        _compile_packages()


def compile_for_others(folder: Path) -> None:
    """Compile what is in a folder; what others could not read of earlier times is made anew."""
    for cache in list(folder.rglob("__pycache__")):
        with suppress(FileNotFoundError):  # another start is at it just now
            modes = [path.stat().st_mode for path in (cache, *cache.iterdir())]
            if not all(mode & stat.S_IROTH for mode in modes):
                shutil.rmtree(cache)
    ours = os.umask(OTHERS_READ)
    try:
        compileall.compile_dir(folder, quiet=2)
    finally:
        os.umask(ours)


def _compile_packages() -> None:
    """Compile what lies beside an installed tree, once: uv leaves that to who imports it first.

    In a process of its own, which may use all cores, and whose failure only costs time.
    """
    beside = str(ROOT.parents[1])
    compiling = [sys.executable, "-m", "compileall", "-qq", "-j", "0", beside]
    subprocess.run(compiling, check=False, stdout=subprocess.DEVNULL, umask=OTHERS_READ)
    PACKAGES_COMPILED.parent.mkdir(exist_ok=True)
    PACKAGES_COMPILED.touch()


def _prepare_keyring(settings: Settings, services: User) -> None:
    """Let the services read the keyring, and write a new one in its place: so a rotation goes."""
    keyring, before = settings.keyring, keyring_before(settings)
    if not keyring.parent.exists():
        keyring.parent.parent.mkdir(parents=True, exist_ok=True)
        if before:
            keyring.parent.parent.chmod(0o711)
        folder.make(keyring.parent, services)
    if before and before.exists() and not keyring.exists():
        folder.write(keyring, before.read_text())
        before.unlink()
    if keyring.is_file() and not keyring.is_symlink():
        give(keyring, services)
    if not may(services, "-w", keyring.parent):
        raise StackError(
            f"Nothing runs as root here, and the services' user {services.uid} can't write in"
            f" {keyring.parent}: choose another place with PAYGATE_VAULT_KEYRING."
        )
