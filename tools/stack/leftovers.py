"""Processes that a killed supervisor left behind.

On Linux the kernel ends them (see launch.py), though PostgreSQL may still be writing its last
checkpoint; elsewhere they have to be found.
"""

import contextlib
import json
import signal
from pathlib import Path

import psutil

STOP_SECONDS_MAX = 15.0


def end(record: Path, postgres_data: Path) -> None:
    """End what an earlier run on this folder left, and wait until it is gone."""
    servers = _postgres(postgres_data)
    _end(servers, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
    _end(_recorded(record), signal.SIGTERM, signal.SIGKILL)
    record.unlink(missing_ok=True)


def find(record: Path, postgres_data: Path) -> list[psutil.Process]:
    """Return what `end` would end."""
    found = {process.pid: process for process in (*_postgres(postgres_data), *_recorded(record))}
    return list(found.values())


def _end(processes: list[psutil.Process], *signals: signal.Signals) -> None:
    for number in signals:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        _, processes = psutil.wait_procs(processes, timeout=STOP_SECONDS_MAX)
        if not processes:
            return


def _postgres(data: Path) -> list[psutil.Process]:
    """Find servers, and orphaned backends, by the folder that PostgreSQL makes its own."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("postgres") and process.cwd() == str(data.resolve()):
                found.append(process)
    return found


def _recorded(record: Path) -> list[psutil.Process]:
    found = []
    with contextlib.suppress(OSError, ValueError):
        for entry in json.loads(record.read_text()).values():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(entry["pid"])
                # The id alone may be another's by now.
                if abs(process.create_time() - entry["started"]) < 0.01:
                    found.append(process)
    return found
