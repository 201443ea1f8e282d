"""Running the load tools: our own driver, h2load and wrk, one process for each port."""

import asyncio
import json
import os
import re
import resource
import secrets
import shutil
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.driven import BrokenRunError, Driven
from bench.driver import Load
from bench.systems import IMPORTS
from tools.stack.settings import HOST

RUN_SECONDS_BESIDES = 60.0
LUA = Path(__file__).with_name("rest.lua")
PACKAGES = {"h2load": "nghttp2-client", "wrk": "wrk"}


def check_installed() -> None:
    """Raise if a tool is missing.

    Raises:
        BrokenRunError: With the command that installs it.
    """
    missing = [package for tool, package in PACKAGES.items() if shutil.which(tool) is None]
    if missing:
        raise BrokenRunError(f"Missing tools: apt-get install {' '.join(missing)}")


async def own(load: Load) -> Driven:
    """Run our own driver."""
    command = (sys.executable, "-m", "bench.driver")
    given = json.dumps(asdict(load)).encode()
    output = await _run(command, seconds=load.seconds, given=given)
    counted = json.loads(output)
    times = array("I")
    times.frombytes(Path(load.times).read_bytes())
    return Driven(
        rate=len(times) / counted["seconds"],
        times=Counter(times),
        well=Counter(counted["well"]),
        failed=counted["failed"],
        cpu_seconds=counted["cpu_seconds"],
    )


async def wrk(
    *,
    port: int,
    connections: int,
    seconds: float,
    name: str,
    requests: Sequence[tuple[str, str, str]],
    authorization: str,
    folder: Path,
) -> Driven:
    """Run wrk on requests that take turns: method, path and body."""
    run = secrets.token_hex(8)
    file = folder / f"wrk-{run}.txt"
    file.write_text("".join("\t".join(request) + "\n" for request in requests))
    command = (
        *("wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"),
        *("-s", str(LUA), f"http://{HOST}:{port}", str(file), run, authorization),
    )
    output = (await _run(command, seconds=seconds)).decode()
    file.unlink()
    summary = re.search(r"^@summary (\d+) (\d+) (\d+) (\d+)$", output, re.MULTILINE)
    if summary is None:
        raise BrokenRunError(f"wrk did not finish: {output}")
    calls, microseconds, refused, broken = (int(text) for text in summary.groups())
    times: Counter[int] = Counter()
    for value, count in re.findall(r"^@time (\d+) (\d+)$", output, re.MULTILINE):
        times[int(value)] += int(count)
    if times.total() > calls:
        times = as_they_were(times, expected=microseconds // (calls // connections))
    if times.total() != calls:
        raise BrokenRunError(f"wrk shows {times.total()} times of {calls} calls")
    return Driven(
        rate=calls / microseconds * 1e6,
        times=times,
        well=Counter({name: calls - refused}),
        failed=refused + broken,
        unfinished=connections,
    )


def as_they_were(times: Counter[int], *, expected: int) -> Counter[int]:
    """Take out what wrk has added to the times that it saw.

    For each call that took `n`, it adds calls that took `n - expected`, `n - 2 * expected` and so
    on: those that would have been waiting behind it. In a closed loop nobody does.
    """
    found = Counter(times)
    for n in sorted(times, reverse=True):
        for added in range(n - expected, expected, -expected) if n >= 2 * expected else ():
            found[added] -= found[n]
    return +found


async def h2load(
    *,
    port: int,
    connections: int,
    seconds: float,
    name: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    reply_bytes: int | None,
    folder: Path,
) -> Driven:
    """Run h2load on one gRPC call that is repeated.

    It does not see a call's status. Where there are no rows to count, `reply_bytes` tells: an error
    has no message, so that fewer bytes come back.
    """
    file = folder / f"h2load-{secrets.token_hex(8)}"
    log = file.with_suffix(".log")
    file.write_bytes(body)
    common = {"content-type": "application/grpc", "te": "trailers", **headers}
    command = (
        *("h2load", "-t1", f"-c{connections}", "-m1", f"-D{max(1, round(seconds))}"),
        *(part for header in common.items() for part in ("-H", ": ".join(header))),
        *("-d", str(file), f"--log-file={log}"),
        f"http://{HOST}:{port}{path}",
    )
    output = (await _run(command, seconds=seconds)).decode()
    times = Counter(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    log.unlink()
    file.unlink()
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    assert counts is not None, output
    calls, failed = int(counts[1]), sum(int(counts[n]) for n in (3, 4))
    if reply_bytes is not None:
        data = re.search(r"\((\d+)\) data", output)
        assert data is not None, output
        short = calls - int(data[1]) // reply_bytes
        failed += max(0, short)
    return Driven(
        rate=calls / max(1, round(seconds)),
        times=times,
        well=Counter({name: calls}),
        failed=failed,
        unfinished=connections,
    )


def children_seconds() -> float:
    """Return the CPU seconds of all the tools that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _run(command: Sequence[str], *, seconds: float, given: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": IMPORTS},
    )
    try:
        async with asyncio.timeout(seconds + RUN_SECONDS_BESIDES):
            output, errors = await process.communicate(given)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise BrokenRunError(f"{command[0]} failed: {' '.join(last)}")
    return output
