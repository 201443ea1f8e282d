"""Replicas of both services behind the edge of production, which finds them by their names."""

import asyncio
import copy
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from grpc import aio, ssl_channel_credentials

from tests.certificates import AuthorityInFiles, put
from tests.chaos.load import Load
from tests.chaos.names import Names
from tests.chaos.rig import START_SECONDS_MAX, Process, Rig, free_port
from tests.database import as_part
from tests.e2e.edge import Edge
from tools.edge.production import DOMAINS
from tools.edge.rehearsal import rehearsed
from tools.stack import envoy

(DOMAIN,) = DOMAINS
SERVICES = ("payments", "events")
# Until it has started, too.
FOUND_SECONDS_MAX = START_SECONDS_MAX + 10.0
NOTICE = {"PAYGATE_DRAIN_NOTICE_SECONDS": "2"}


@dataclass(frozen=True)
class Host:
    """What Envoy knows of a replica."""

    is_healthy: bool
    calls: int


class Site:
    """A bank, names, and an Envoy with production's configuration, in front of no replica yet."""

    def __init__(self, rig: Rig, names: Names, folder: Path) -> None:
        self._rig, self.names, self._folder = rig, names, folder
        self._authority = AuthorityInFiles(folder)
        self._ports = {service: free_port() for service in SERVICES}
        self._pairs = {name: self._authority.issue(f"{name}.internal.paygate") for name in SERVICES}
        self.replicas: dict[tuple[str, str], Process] = {}
        self.edge = Edge(self._config(), folder)

    def _config(self) -> dict[str, Any]:
        """Return production.yaml with files and ports that are here, and the test's name server."""
        tls, sds = self._folder / "tls", self._folder / "sds"
        for made in (tls, sds, tls / "ca"):
            made.mkdir()
        (tls / "ca" / "ca.crt").write_bytes(self._authority.pem)
        put(self._authority, "edge.internal.paygate", tls / "edge")
        put(self._authority, DOMAIN, tls / "public")
        config = rehearsed(tls=tls, folder=sds)
        clusters = config["static_resources"]["clusters"]
        own = {one["name"]: copy.deepcopy(one) for one in clusters if one["name"] in SERVICES}
        unserved = {name: [free_port()] for name in (*SERVICES, "health", "health-webhooks")}
        metrics, admin = free_port(), Path(envoy.ADMIN)
        envoy.place(config, port=free_port(), metrics_port=metrics, admin=admin, services=unserved)
        config["static_resources"]["clusters"] = [
            self._named(own[one["name"]]) if one["name"] in own else one for one in clusters
        ]
        return config

    def _named(self, cluster: dict[str, Any]) -> dict[str, Any]:
        """Change a cluster's port, and whom it asks for addresses; the rest is production's."""
        ((endpoint,),) = [
            [entry["endpoint"]["address"]["socket_address"] for entry in group["lb_endpoints"]]
            for group in cluster["load_assignment"]["endpoints"]
        ]
        endpoint["port_value"] = self._ports[cluster["name"]]
        server = {"socket_address": {"address": "127.0.0.1", "port_value": self.names.port}}
        cluster["typed_dns_resolver_config"] = {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3"
                ".CaresDnsResolverConfig",
                "resolvers": [server],
                "dns_resolver_options": {"no_default_search_domain": True},
            },
        }
        return cluster

    def load(self) -> Load:
        """Return clients, which come by TLS."""
        credentials = ssl_channel_credentials(self._authority.pem)
        options = [("grpc.ssl_target_name_override", DOMAIN), ("grpc.default_authority", DOMAIN)]
        place = f"127.0.0.1:{self.edge.port}"
        context = ssl.create_default_context(cadata=self._authority.pem.decode())
        return Load(
            f"https://{place}",
            self._rig.api_key,
            partial(aio.secure_channel, place, credentials, options),
            asked={"ssl": context, "server_hostname": DOMAIN, "headers": {"host": DOMAIN}},
            looks=True,
        )

    async def _start(self, service: str, address: str) -> None:
        """Start a replica, and do not wait until it serves."""
        listen = {"PAYGATE_LISTEN": f"{address}:{self._ports[service]}"}
        tls = self._pairs[service].environment(client_ca=self._authority.file)
        environment = {**self._rig.environment, **NOTICE, **tls, **listen, **self._of(service)}
        replica = Process((f"services.{service}", "serve"), environment)
        self.replicas[service, address] = replica
        await replica.start()

    async def listens(self, address: str) -> None:
        """Wait until a replica of each service takes connections."""
        async with asyncio.timeout(START_SECONDS_MAX):
            for service in SERVICES:
                while True:
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection(address, self._ports[service])
                        writer.close()
                        break
                    await asyncio.sleep(0.05)

    def _of(self, service: str) -> Mapping[str, str]:
        if service == "payments":
            return self._rig.vault
        url = as_part(self._rig.payments_url, "paygate_webhooks")
        return {"DATABASE_URL": url, "PAYGATE_WEBHOOK_KEY": "3c" * 32}

    async def _stop(self, service: str, address: str) -> None:
        await self.replicas.pop((service, address)).stop()

    async def add(self, address: str, services: tuple[str, ...] = SERVICES) -> None:
        """Add a replica of each service; as in containers, its name is there before it serves."""
        for service in services:
            self.names.addresses[service].add(address)
        await asyncio.gather(*(self._start(service, address) for service in services))

    def _forget(self, address: str) -> None:
        for service in SERVICES:
            self.names.addresses[service].discard(address)

    async def hosts(self, service: str) -> dict[str, Host]:
        """Return what Envoy knows of each replica, by its address."""
        said = await asyncio.to_thread(self.edge.ask_admin, "/clusters?format=json")
        (cluster,) = [
            one for one in json.loads(said.data)["cluster_statuses"] if one["name"] == service
        ]
        return {
            host["address"]["socket_address"]["address"]: Host(
                host["health_status"] == {"eds_health_status": "HEALTHY"},
                next(int(s.get("value", 0)) for s in host["stats"] if s["name"] == "rq_total"),
            )
            for host in cluster.get("host_statuses", ())
        }

    async def sends_to(self, *addresses: str, services: tuple[str, ...] = SERVICES) -> None:
        """Wait until Envoy knows these replicas of each service as healthy, and no others."""
        async with asyncio.timeout(FOUND_SECONDS_MAX):
            for service in services:
                while await self._healthy(service) != set(addresses):
                    await asyncio.sleep(0.05)

    async def _healthy(self, service: str) -> set[str] | None:
        hosts = await self.hosts(service)
        return set(hosts) if all(host.is_healthy for host in hosts.values()) else None

    async def calls(self, service: str) -> Counter[str]:
        """Return how many calls each replica was sent."""
        hosts = await self.hosts(service)
        return Counter({address: host.calls for address, host in hosts.items()})

    async def stop_as_container(self, address: str) -> None:
        """End a replica of each service; its name is gone when it has ended."""
        await asyncio.gather(*(self._stop(service, address) for service in SERVICES))
        self._forget(address)

    async def stop_as_pod(self, address: str) -> None:
        """End a replica of each service, whose name has been gone for a while by then."""
        self._forget(address)
        await asyncio.gather(*(self.names.told(service) for service in SERVICES))
        await asyncio.gather(*(self._stop(service, address) for service in SERVICES))


@asynccontextmanager
async def site(rig: Rig, folder: Path, *addresses: str) -> AsyncIterator[Site]:
    """Run replicas at these addresses behind the edge."""
    async with Names() as names:
        made = Site(rig, names, folder)
        try:
            await asyncio.gather(*(made.add(address) for address in addresses))
            await asyncio.gather(*(made.listens(address) for address in addresses))
            await asyncio.to_thread(made.edge.__enter__)
            try:
                await made.sends_to(*addresses)
                yield made
            finally:
                await asyncio.to_thread(made.edge.__exit__)
        finally:
            await asyncio.gather(*(one.kill() for one in made.replicas.values()))
