"""The programs of a run: how each process of the gateway is started, and what it is told."""

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tools.edge import pages
from tools.stack import envoy, folder, link, probe
from tools.stack.database import Databases
from tools.stack.doors import Doors
from tools.stack.places import EDGE, Places, worker_name
from tools.stack.program import Program
from tools.stack.settings import HOST, REPOSITORY, Settings
from tools.stack.users import Users, give

DATABASE_PORT = 5432  # where an address names none


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Makes them.

    Attributes:
        sockets: The folder for Envoy's sockets.
        users: Whom they run as.
    """

    settings: Settings
    databases: Databases
    places: Places
    sockets: Path
    users: Users

    def acquirer(self) -> Program:
        """Return the bank."""
        return self._python(
            "services.acquirer",
            name="acquirer",
            port=self.places.bank,
            environment={
                "ACQUIRER_DATABASE_URL": self.databases.acquirer,
                "ACQUIRER_LISTEN": f"{HOST}:{self.places.bank}",
            },
        )

    def operators(self) -> Program:
        """Return the operator's process."""
        return self._python(
            "services.payments",
            "admin",
            name="admin",
            port=self.places.admin,
            environment={
                "PAYGATE_ADMIN_DATABASE_URL": self.databases.parts["paygate_admin"],
                "PAYGATE_ADMIN_LISTEN": f"{HOST}:{self.places.admin}",
                "PAYGATE_SECRETS_DIR": str(self.settings.secrets),
                **self._vault(),
            },
        )

    def worker(self, number: int) -> Program:
        """Return a payments worker."""
        parts = self.databases.parts
        return self._payments(
            "serve",
            name=worker_name(number),
            port=self.places.workers[number],
            environment={
                "PAYGATE_READ_DATABASE_URL": parts["paygate_reader"],
                "PAYGATE_SANDBOX_DATABASE_URL": parts["paygate_sandbox"],
                "PAYGATE_RATE_LIMIT_SHARED_BY": str(self.settings.workers),
                **self._vault(),
            },
        )

    def sweep(self) -> Program:
        """Return what recovers and expires payments."""
        return self._payments("sweep", name="sweep", port=None, environment={})

    def events(self) -> Program:
        """Return the API of webhooks."""
        return self._webhooks("serve", name="events", port=self.places.events)

    def relay(self) -> Program:
        """Return what delivers events."""
        return self._webhooks("relay", name="relay", port=None)

    def edge(self) -> Program:
        """Return Envoy, whose configuration this writes."""
        settings, places, doors = self.settings, self.places, Doors(user=self.users.edge)
        config, shown_in = settings.run / "envoy.yaml", settings.run / "pages"
        workers = [places.metrics[worker_name(number)] for number in range(settings.workers)]
        shown = {"health": workers, "health-webhooks": [places.metrics["relay"]]}
        folder.make(shown_in)
        pages.write(pages.pages(), shown_in)
        text = envoy.render(
            port=places.edge,
            host=settings.host,
            metrics_port=places.metrics[EDGE],
            admin=self.sockets / envoy.ADMIN,
            services={"payments": list(places.workers), "events": [places.events], **shown},
            traces=settings.traces,
            found=doors.through,
            shown=shown_in,
            link=self.sockets / link.SOCKET,
        )
        folder.write(config, text)
        for path in (config, shown_in):
            give(path, self.users.edge)
        return Program(
            name=EDGE,
            command=envoy.command(config, envoy=doors.through(envoy.program())),
            log=settings.logs / "envoy.log",
            directory=REPOSITORY,
            environment={"PATH": os.defpath},
            ready=partial(probe.edge_serving, settings.url),
            user=self.users.edge,
            opened=doors.opened,
        )

    def _vault(self) -> dict[str, str]:
        return {
            "PAYGATE_VAULT_DATABASE_URL": self.databases.parts["paygate_vault"],
            "PAYGATE_VAULT_KEYRING": str(self.settings.keyring),
        }

    def _payments(
        self, role: str, *, name: str, port: int | None, environment: dict[str, str]
    ) -> Program:
        bank = {"PAYGATE_ACQUIRER_ADDRESS": f"{HOST}:{self.places.bank}"}
        return self._gateway(
            "services.payments",
            "paygate_gateway",
            role,
            name=name,
            port=port,
            environment={**bank, **environment},
        )

    def _webhooks(self, role: str, *, name: str, port: int | None) -> Program:
        part = "paygate_webhooks" if role == "serve" else "paygate_events"
        own = {"PAYGATE_WEBHOOK_PORTS_REFUSED": ",".join(map(str, self._own_ports()))}
        return self._gateway("services.events", part, role, name=name, port=port, environment=own)

    def _own_ports(self) -> list[int]:
        """Return the ports of this machine that are no receiver's: the database's among them."""
        urls = (self.databases.payments, self.databases.acquirer)
        return sorted({*self.places.all, *(urlsplit(url).port or DATABASE_PORT for url in urls)})

    def _gateway(
        self,
        module: str,
        part: str,
        role: str,
        *,
        name: str,
        port: int | None,
        environment: dict[str, str],
    ) -> Program:
        """Return a program of the gateway's own, which has its database and its secrets."""
        listen = {} if port is None else {"PAYGATE_LISTEN": f"{HOST}:{port}"}
        common = {
            "DATABASE_URL": self.databases.parts[part],
            "PAYGATE_SECRETS_DIR": str(self.settings.secrets),
        }
        return self._python(
            module, role, name=name, port=port, environment={**common, **environment, **listen}
        )

    def _python(
        self, module: str, *arguments: str, name: str, port: int | None, environment: dict[str, str]
    ) -> Program:
        doors = Doors(user=self.users.services)
        python, packages = doors.python()
        prefix = "ACQUIRER" if module == "services.acquirer" else "PAYGATE"
        shown = f"{HOST}:{self.places.metrics[name]}"
        told = {f"{prefix}_METRICS_LISTEN": shown, f"{prefix}_PORTS_ARE_HELD": "true"}
        return Program(
            name=name,
            command=(python, "-m", module, *arguments),
            log=self.settings.logs / f"{name}.log",
            directory=REPOSITORY,
            environment={**os.environ, **packages, **environment, **told},
            stop_signal=signal.SIGINT,  # Envoy is gone by then: no need to give it notice
            ready=partial(probe.grpc_serving, port)
            if port
            else partial(probe.http_serving, f"http://{shown}"),
            user=self.users.services,
            opened=doors.opened,
        )
