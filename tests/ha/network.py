"""A network for each machine, all on one bridge: each can be cut off as by pulling its cable."""

import subprocess

from tests.ha.sealed import ROOT
from tools.stack.settings import REPOSITORY

BRIDGE, OURS = "br0", "10.0.0.1/24"
SYSCTL = REPOSITORY / "deploy" / "ha" / "sysctl.conf"


def make_bridge() -> None:
    """Make what connects the machines, and us."""
    (ROOT / "net").mkdir()
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", OURS, "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def connect(name: str, address: str) -> tuple[str, ...]:
    """Make a machine's network, and return the command that enters it."""
    network = ROOT / "net" / name
    network.touch()
    _run("unshare", f"--net={network}", "true")
    entering = ("nsenter", f"--net={network}", "--")
    _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(network))
    _ip("link", "set", name, "master", BRIDGE, "up")
    for told in (
        ("link", "set", "lo", "up"),
        ("address", "add", f"{address}/24", "dev", "eth0"),
        ("link", "set", "eth0", "up"),
    ):
        _run(*entering, "ip", *told)
    _run(*entering, "sh", "-c", _told_of_machines())
    return entering


def cut(name: str) -> None:
    """Cut a machine off: what is sent to it or by it is lost without a word."""
    _ip("link", "set", name, "down")


def heal(name: str) -> None:
    """Connect it again."""
    _ip("link", "set", name, "up")


def _told_of_machines() -> str:
    """Return the command that tells a machine's kernel what deploy/ha does."""
    name, value = SYSCTL.read_text().splitlines()[-1].split("=")
    return f"echo {value} > /proc/sys/{name.replace('.', '/')}"


def _ip(*told: str) -> None:
    _run("ip", *told)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
