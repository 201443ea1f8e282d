"""Starts the stack in order, keeps it running, and stops it."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial

from tools.stack import database, demo, envoy, folder, leftovers, ports, probe
from tools.stack.database import Databases
from tools.stack.postgres import PARTS, ROLES, Embedded
from tools.stack.program import Program, rotate
from tools.stack.screen import Screen
from tools.stack.settings import HOST, REPOSITORY, Settings
from tools.stack.supervisor import Supervisor

# Every process of ours, but for the workers; each shows its metrics and its health.
PROCESSES = ("acquirer", "admin", "sweep", "events", "relay")
STOPPING = "\nStopping (Ctrl-C again to do it at once)."
FAILED = "\nIt can't go on; stopping what runs."


class Stack:
    """One run of everything on one data folder."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self._settings = settings
        self._screen = screen
        record = settings.processes
        self._supervisor = Supervisor(record, lambda line: screen.say(f"  ! {line}"))
        leftovers.end(record, settings.data_dir / "postgres")
        self._embedded: Embedded | None = None
        self._stopping = False
        names = (*PROCESSES, *(_worker_name(number) for number in range(settings.workers)))
        chosen = ports.free(settings.workers + 4 + len(names))
        self._metrics = {name: chosen.pop() for name in names}
        self._bank, self._envoy_admin, self._admin, self._events, *self._workers = chosen

    async def run(self) -> None:
        """Start, and keep running until a signal; a second signal ends all at once."""
        async with self._stopped_by_signals():
            try:
                await self._start()
                await self._supervisor.failure()
            finally:
                _remove_addresses(self._settings)
                self._screen.say(STOPPING if self._stopping else FAILED)
                self._stopping = True
                await self._supervisor.stop()
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
        screen.step("tables are up to date")
        await self._supervisor.start(self._acquirer(databases), self._operators(databases))
        screen.step("the bank and the operator's process serve")
        key = await demo.key(settings, admin_address=f"{HOST}:{self._admin}")
        await self._supervisor.start(
            *(self._worker(databases, number) for number in range(settings.workers)),
            self._payments(databases, "sweep", name="sweep", environment={}),
            self._webhooks(databases, "serve", name="events", port=self._events),
            self._webhooks(databases, "relay", name="relay"),
        )
        screen.step(f"payments workers ({settings.workers}), sweep, events and relay run")
        await self._supervisor.start(self._edge())
        screen.step("Envoy serves")
        folder.write(settings.metrics_targets, _targets(self._metrics, self._envoy_admin))
        folder.write(settings.admin_env, _admin_env(settings, self._admin))
        folder.write(settings.demo_env, _demo_env(settings, key))
        screen.ready(settings, key=key, idempotency_key=f"first-{secrets.token_hex(4)}")

    async def _databases(self) -> Databases:
        if self._settings.database_url:
            databases = await database.external(self._settings)
            self._screen.step("the database of DATABASE_URL answers")
            return databases
        self._embedded = embedded = Embedded(self._settings)
        await embedded.initialise()
        await self._supervisor.start(embedded.program())
        await embedded.make_databases()
        self._screen.step("PostgreSQL serves")
        payments, acquirer = (embedded.url(role, role) for role in ROLES)
        parts = {part: embedded.url(part, "payments") for part in PARTS}
        return Databases(payments=payments, acquirer=acquirer, parts=parts)

    def _acquirer(self, databases: Databases) -> Program:
        return self._python(
            "services.acquirer",
            name="acquirer",
            port=self._bank,
            environment={
                "ACQUIRER_DATABASE_URL": databases.acquirer,
                "ACQUIRER_LISTEN": f"{HOST}:{self._bank}",
            },
        )

    def _worker(self, databases: Databases, number: int) -> Program:
        return self._payments(
            databases,
            "serve",
            name=_worker_name(number),
            port=self._workers[number],
            environment={
                "PAYGATE_READ_DATABASE_URL": databases.parts["paygate_reader"],
                "PAYGATE_SANDBOX_DATABASE_URL": databases.parts["paygate_sandbox"],
                **self._vault(databases),
            },
        )

    def _vault(self, databases: Databases) -> dict[str, str]:
        return {
            "PAYGATE_VAULT_DATABASE_URL": databases.parts["paygate_vault"],
            "PAYGATE_VAULT_KEYRING": str(self._settings.keyring),
        }

    def _payments(
        self,
        databases: Databases,
        role: str,
        *,
        name: str,
        port: int | None = None,
        environment: dict[str, str],
    ) -> Program:
        bank = {"PAYGATE_ACQUIRER_ADDRESS": f"{HOST}:{self._bank}"}
        return self._gateway(
            "services.payments",
            databases.parts["paygate_gateway"],
            role,
            name=name,
            port=port,
            environment={**bank, **environment},
        )

    def _operators(self, databases: Databases) -> Program:
        return self._python(
            "services.payments",
            "admin",
            name="admin",
            port=self._admin,
            environment={
                "PAYGATE_ADMIN_DATABASE_URL": databases.parts["paygate_admin"],
                "PAYGATE_ADMIN_LISTEN": f"{HOST}:{self._admin}",
                "PAYGATE_SECRETS_DIR": str(self._settings.secrets),
                **self._vault(databases),
            },
        )

    def _webhooks(
        self, databases: Databases, role: str, *, name: str, port: int | None = None
    ) -> Program:
        part = "paygate_webhooks" if role == "serve" else "paygate_events"
        url = databases.parts[part]
        return self._gateway("services.events", url, role, name=name, port=port, environment={})

    def _gateway(
        self,
        module: str,
        database_url: str,
        *arguments: str,
        name: str,
        port: int | None,
        environment: dict[str, str],
    ) -> Program:
        """Return a program of the gateway's own, which has its database and its secrets."""
        listen = {} if port is None else {"PAYGATE_LISTEN": f"{HOST}:{port}"}
        common = {
            "DATABASE_URL": database_url,
            "PAYGATE_SECRETS_DIR": str(self._settings.secrets),
        }
        return self._python(
            module,
            *arguments,
            name=name,
            port=port,
            environment={**common, **environment, **listen},
        )

    def _python(
        self, module: str, *arguments: str, name: str, port: int | None, environment: dict[str, str]
    ) -> Program:
        roots = (str(REPOSITORY), str(REPOSITORY / "build" / "python"))
        prefix = "ACQUIRER" if module == "services.acquirer" else "PAYGATE"
        shown = f"{HOST}:{self._metrics[name]}"
        told = {**environment, f"{prefix}_METRICS_LISTEN": shown}
        return Program(
            name=name,
            command=(sys.executable, "-m", module, *arguments),
            log=self._settings.logs / f"{name}.log",
            directory=REPOSITORY,
            environment={**os.environ, "PYTHONPATH": os.pathsep.join(roots), **told},
            stop_signal=signal.SIGINT,  # Envoy is gone by then: no need to give it notice
            ready=partial(probe.grpc_serving, port)
            if port
            else partial(probe.http_serving, f"http://{shown}"),
        )

    def _edge(self) -> Program:
        settings = self._settings
        config, port = settings.run / "envoy.yaml", settings.port
        workers = [self._metrics[_worker_name(number)] for number in range(settings.workers)]
        shown = {"health": workers, "health-webhooks": [self._metrics["relay"]]}
        services = {"payments": self._workers, "events": [self._events], **shown}
        text = envoy.render(
            port=port,
            admin_port=self._envoy_admin,
            services=services,
            traces=self._settings.traces,
        )
        config.write_text(text)
        return Program(
            name="envoy",
            command=envoy.command(config),
            log=settings.logs / "envoy.log",
            directory=REPOSITORY,
            environment={"PATH": os.defpath},
            ready=partial(probe.http_serving, settings.url),
        )


def run(settings: Settings) -> None:
    """Run the stack until it is stopped.

    Raises:
        StackError: It can't run; one sentence says why.
    """
    screen = Screen()
    with folder.held(settings):
        _remove_addresses(settings)
        ports.claim(settings.port)
        folder.prepare(settings)
        rotate(settings.logs)
        asyncio.run(Stack(settings, screen).run())
        screen.say("Stopped.")


def _remove_addresses(settings: Settings) -> None:
    for path in (settings.demo_env, settings.admin_env, settings.metrics_targets):
        path.unlink(missing_ok=True)


def _worker_name(number: int) -> str:
    return f"payments-{number + 1}"


def _targets(processes: dict[str, int], envoy_admin: int) -> str:
    """Return where metrics are, as Prometheus reads it from a file (file_sd_config)."""
    found = [
        {"targets": [f"{HOST}:{port}"], "labels": {"process": name}}
        for name, port in processes.items()
    ]
    path = {"process": "envoy", "__metrics_path__": "/stats/prometheus"}
    return json.dumps([*found, {"targets": [f"{HOST}:{envoy_admin}"], "labels": path}], indent=2)


def _admin_env(settings: Settings, port: int) -> str:
    token = settings.secrets / "paygate_admin_token"
    return f"PAYGATE_ADMIN_ADDRESS={HOST}:{port}\nPAYGATE_ADMIN_TOKEN_FILE={token}\n"


def _demo_env(settings: Settings, key: str) -> str:
    return (
        f"PAYGATE_URL={settings.url}\nPAYGATE_GRPC={HOST}:{settings.port}\nPAYGATE_API_KEY={key}\n"
    )
