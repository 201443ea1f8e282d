"""Starts the stack in order, keeps it running, and stops it."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import AsyncIterator

from tools.stack import as_root, database, demo, folder, leftovers, logs, sockets, users
from tools.stack.database import Databases
from tools.stack.link import SOCKET, Link
from tools.stack.places import Places, choose
from tools.stack.postgres import PARTS, ROLES, Embedded
from tools.stack.programs import Programs
from tools.stack.screen import Screen
from tools.stack.settings import HOST, Settings
from tools.stack.supervisor import Supervisor
from tools.stack.users import Users

STOPPING = "\nStopping (Ctrl-C again to do it at once)."
FAILED = "\nIt can't go on; stopping what runs."


class Stack:
    """One run of everything on one data folder."""

    def __init__(self, settings: Settings, screen: Screen, places: Places, chosen: Users) -> None:
        self._settings = settings
        self._users = chosen
        self._screen = screen
        self._places = places
        record = settings.processes
        self._supervisor = Supervisor(record, lambda line: screen.say(f"  ! {line}"))
        leftovers.end(record, settings.data_dir / "postgres")
        self._embedded: Embedded | None = None
        self._sockets = settings.run / "envoy"
        self._stopping = False

    async def run(self) -> None:
        """Start, and keep running until a signal; a second signal ends all at once."""
        async with self._stopped_by_signals():
            try:
                await self._start()
                await self._supervisor.tend()
            finally:
                _remove_addresses(self._settings)
                self._screen.say(STOPPING if self._stopping else FAILED)
                self._stopping = True
                await self._supervisor.stop()
                sockets.remove(self._sockets)
                if self._embedded:
                    self._embedded.remove_sockets()

    @contextlib.asynccontextmanager
    async def _stopped_by_signals(self) -> AsyncIterator[None]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            if self._stopping:
                self._supervisor.quit()
            else:
                self._stopping = True
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop)
        with contextlib.suppress(asyncio.CancelledError):
            yield

    async def _start(self) -> None:
        settings, screen = self._settings, self._screen
        screen.say(f"Starting paygate on port {settings.port}; its data is in {settings.data_dir}.")
        databases = await self._databases()
        await asyncio.gather(
            database.migrate(databases.payments, service="payments", logs=settings.logs),
            database.migrate(databases.acquirer, service="acquirer", logs=settings.logs),
        )
        await database.spread(databases.payments, shards=settings.shards)
        screen.step("tables are up to date")
        programs = Programs(
            settings=settings,
            databases=databases,
            places=self._places,
            sockets=sockets.make(self._sockets, self._users.edge),
            users=self._users,
        )
        await self._supervisor.start(programs.acquirer(), programs.operators())
        screen.step("the bank and the operator's process serve")
        key = await demo.key(settings, admin_address=f"{HOST}:{self._places.admin}")
        await self._supervisor.start(
            *(programs.worker(number) for number in range(settings.workers)),
            programs.sweep(),
            programs.events(),
            programs.relay(),
        )
        screen.step(f"payments workers ({settings.workers}), sweep, events and relay run")
        link = Link(settings.url, key)
        await link.serve(programs.sockets / SOCKET, self._users.edge)
        await self._supervisor.start(programs.edge())
        screen.step("Envoy serves")
        folder.write(settings.metrics_targets, self._places.targets())
        folder.write(settings.admin_env, _admin_env(settings, self._places.admin))
        folder.write(settings.demo_env, _demo_env(settings, key))
        screen.ready(settings, key=key, link=link, idempotency_key=f"first-{secrets.token_hex(4)}")

    async def _databases(self) -> Databases:
        if self._settings.database_url:
            databases = await database.external(self._settings)
            self._screen.step("the database of DATABASE_URL answers")
            return databases
        self._embedded = embedded = Embedded(self._settings)
        await embedded.initialise()
        embedded.admit_services()
        await self._supervisor.start(embedded.program())
        await embedded.make_databases()
        self._screen.step("PostgreSQL serves")
        payments, acquirer = (embedded.url(role, role) for role in ROLES)
        parts = {part: embedded.url(part, "payments") for part in PARTS}
        return Databases(payments=payments, acquirer=acquirer, parts=parts)


def run(settings: Settings) -> None:
    """Run the stack until it is stopped.

    Raises:
        StackError: It can't run; one sentence says why.
    """
    screen = Screen()
    with folder.held(settings):
        _remove_addresses(settings)
        chosen = users.choose(settings.data_dir)
        places = choose(settings, chosen)
        folder.prepare(settings, chosen.services)
        logs.rotate(settings.logs)
        if chosen.services:
            as_root.prepare(settings, chosen.services, screen)
        asyncio.run(Stack(settings, screen, places, chosen).run())
        screen.say("Stopped.")


def _remove_addresses(settings: Settings) -> None:
    for path in (settings.demo_env, settings.admin_env, settings.metrics_targets):
        path.unlink(missing_ok=True)


def _admin_env(settings: Settings, port: int) -> str:
    token = settings.secrets / "paygate_admin_token"
    return f"PAYGATE_ADMIN_ADDRESS={HOST}:{port}\nPAYGATE_ADMIN_TOKEN_FILE={token}\n"


def _demo_env(settings: Settings, key: str) -> str:
    return (
        f"PAYGATE_URL={settings.url}\nPAYGATE_GRPC={HOST}:{settings.port}\nPAYGATE_API_KEY={key}\n"
    )
