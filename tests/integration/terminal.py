"""Somebody who types `./paygate`, and a real admin process for them."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.rig import IMPORTS, free_port
from tests.database import as_part
from tools.stack.probe import grpc_serving
from tools.stack.settings import REPOSITORY

TOKEN, PEPPER = "7e" * 32, "0a" * 32


@dataclass(frozen=True)
class Ended:
    """What a command has printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a program would read."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Somebody who types commands."""

    environment: dict[str, str]

    async def run(self, *arguments: str, code: int = 0, **more: str) -> Ended:
        """Run the command to its end, which must have that exit code."""
        inherited = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "USER": "ada"}
        process = await asyncio.create_subprocess_exec(
            str(REPOSITORY / "paygate"),
            *arguments,
            cwd="/",
            env={**inherited, **self.environment, **more},
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(30):
            out, err = await process.communicate()
        ended = Ended(process.returncode or 0, out.decode(), err.decode())
        assert ended.code == code, ended
        assert "Traceback" not in ended.err
        assert TOKEN not in ended.out + ended.err
        return ended

    async def key_id(self, merchant_id: str) -> str:
        """Make a key and return its id."""
        made = await self.run("keys", "create", merchant_id, "--json")
        return str(made.json["api_key"]["id"])


@asynccontextmanager
async def admin_process(url: str, log: Path) -> AsyncIterator[tuple[Process, int]]:
    """Run the admin process on a gateway's database; whatever becomes of it, it is gone then."""
    port = free_port()
    environment = {
        "PAYGATE_ADMIN_DATABASE_URL": as_part(url, "paygate_admin"),
        "PAYGATE_ADMIN_LISTEN": f"127.0.0.1:{port}",
        "PAYGATE_ADMIN_TOKEN": TOKEN,
        "PAYGATE_KEY_PEPPER": PEPPER,
        "PAYGATE_VAULT_DATABASE_URL": as_part(url, "paygate_vault"),
        "PAYGATE_VAULT_KEYRING": str(log.with_name("keyring.json")),
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.payments", "admin"),
            env={**os.environ, **IMPORTS, **environment},
            stderr=output,
        )
    try:
        async with asyncio.timeout(15):
            await grpc_serving(port)
        yield process, port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
