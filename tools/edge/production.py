"""The edge of production: envoy.yaml with TLS on both sides and domains, without a sandbox."""

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tools.edge import page_routes, pages
from tools.edge.dumper import Dumper
from tools.edge.machines import place
from tools.edge.tracing import Traces, trace

PORT: Final = 8443
DOMAINS: Final = ("api.paygate.example",)
# The routes that everybody may take.
HEALTH: Final = {
    *("not-asked", "ready", "payments", "relay", "live"),
    *("grpc-health", "grpc-health-webhooks"),
}
# Envoy itself, and pages that hold no secret.
WITHOUT_TLS: Final = {"admin", "health", "health-webhooks"}
REFLECTION: Final = "reflection"
SANDBOX: Final = "paygate.sandbox.v1.SandboxService"
CORS: Final = "envoy.filters.http.cors"

_SANDBOXS: Final = re.compile("sandbox|reflection")
_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
_MADE: Final = """\
# Made of envoy.yaml, which has the comments, by `make proto-generate`. Do not edit.
#
"""
_TRACED: Final = f"{_MADE}# With spans, for the profile `tracing` of docker-compose.yml.\n\n"
_HEAD: Final = f"""\
{_MADE}\
# With domains of your own: python -m tools.edge production --domain api.example.com --output FILE

"""


def production(
    sandbox: dict[str, Any],
    *,
    domains: Sequence[str],
    origins: Sequence[str] = (),
    machines: Sequence[str] = (),
    shown: Path | None = None,
    traces: Traces | None = None,
) -> str:
    """Return the configuration of production, as YAML.

    Args:
        sandbox: What envoy.yaml says.
        domains: The names by which clients reach the edge; requests for others get 404.
        origins: Whose pages may call it from a browser, such as `https://console.example.com`.
        machines: Addresses of those that each service runs on; with none, DNS knows the services.
        shown: The folder where Envoy finds the files of pages; None for no pages.
        traces: Where spans go; None for no spans.
    """
    # Envoy wants a name before it reads secrets from files.
    config = {"node": {"id": "edge", "cluster": "paygate"}, **copy.deepcopy(sandbox)}
    listener, _metrics, _drain = config["static_resources"]["listeners"]
    listener["address"]["socket_address"]["port_value"] = PORT
    tls = _public_tls()
    for chain in listener["filter_chains"]:
        chain["transport_socket"] = tls
    http = chain["filters"][-1]["typed_config"]  # the same in all of them
    _without_sandbox(http)
    _for_origins(http, origins)
    resources = config["static_resources"]
    resources["clusters"] = [one for one in resources["clusters"] if one["name"] != REFLECTION]
    if shown:
        page_routes.serve(http, pages.pages(), shown)
    _for_domains(http["route_config"], domains)
    _only_by_tls(http)
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] in WITHOUT_TLS:
            continue
        cluster["transport_socket"] = _worker_tls(f"{cluster['name']}.internal.paygate")
    if machines:
        place(config, machines)
    if traces:
        trace(config, traces)  # last: the collector has no certificate of ours
    return _HEAD + _written(config)


def traced(sandbox: dict[str, Any], traces: Traces) -> str:
    """Return what envoy.yaml says with spans, as YAML."""
    config = copy.deepcopy(sandbox)
    trace(config, traces)
    return _TRACED + _written(config)


def _written(config: dict[str, Any]) -> str:
    return yaml.dump(config, Dumper=Dumper, sort_keys=False, width=110)


def _without_sandbox(http: dict[str, Any]) -> None:
    """Leave out the sandbox's service and reflection: their paths are as unknown as any other."""
    transcoder = _filter(http, "grpc_json_transcoder")
    transcoder["services"].remove(SANDBOX)
    (host,) = http["route_config"]["virtual_hosts"]
    kept = [route for route in host["routes"] if not _SANDBOXS.search(str(route["match"]))]
    assert len(host["routes"]) - len(kept) == 4  # two for gRPC, one for JSON, and reflection
    unknown = {
        "name": "no-sandbox",
        "match": {"safe_regex": {"regex": "(/v1)?/sandbox(/.*)?"}},
        **_not_found(http),
    }
    first_json = [route["name"] for route in kept].index("read-webhooks")
    host["routes"] = [*kept[:first_json], unknown, *kept[first_json:]]


def _for_origins(http: dict[str, Any], origins: Sequence[str]) -> None:
    """Let pages of these origins call it; with none, no browser is told that any may."""
    (host,) = http["route_config"]["virtual_hosts"]
    if origins:
        policy = host["typed_per_filter_config"][CORS]
        policy["allow_origin_string_match"] = [{"exact": origin} for origin in origins]
    else:
        del host["typed_per_filter_config"]
        http["http_filters"] = [one for one in http["http_filters"] if one["name"] != CORS]


def _for_domains(routes: dict[str, Any], domains: Sequence[str]) -> None:
    """Serve requests for these names, with or without a port; others may ask for health only."""
    routes["ignore_port_in_host_matching"] = True
    (host,) = routes["virtual_hosts"]
    host["domains"] = list(domains)
    health = [route for route in host["routes"] if route["name"] in HEALTH]
    nobody = {**host["routes"][0], "name": "no-such-domain"}
    nobody |= {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    elsewhere = {"name": "elsewhere", "domains": ["*"], "routes": [*health, nobody]}
    routes["virtual_hosts"].append(copy.deepcopy(elsewhere))


def _only_by_tls(http: dict[str, Any]) -> None:
    """Tell browsers to come by TLS only, for a year."""
    header = {"key": "strict-transport-security", "value": "max-age=31536000"}
    mutations = _filter(http, "header_mutation")["mutations"]
    mutations["response_mutations"].append(
        {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    )


def _not_found(http: dict[str, Any]) -> dict[str, Any]:
    """Return how routes that lead nowhere answer: nothing reads what they were sent."""
    (host,) = http["route_config"]["virtual_hosts"]
    (nowhere,) = [route for route in host["routes"] if route["name"] == "grpc-unknown"]
    return {key: nowhere[key] for key in ("direct_response", "typed_per_filter_config")}


def _filter(http: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        one["typed_config"] for one in http["http_filters"] if one["name"].endswith(f".{name}")
    ]
    return found


def _public_tls() -> dict[str, Any]:
    """Return what clients meet: TLS 1.2 and 1.3, with the ciphers that Envoy takes by itself."""
    context = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [_secret("public")],
    }
    return _socket("DownstreamTlsContext", common_tls_context=context)


def _worker_tls(name: str) -> dict[str, Any]:
    """Return how a worker is reached: both sides show a certificate, the worker one of its name."""
    names = [{"san_type": "DNS", "matcher": {"exact": name}}]
    context = {
        "alpn_protocols": ["h2"],  # health checks say no other, and gRPC wants it said
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "tls_certificate_sds_secret_configs": [_secret("edge")],
        "combined_validation_context": {
            "default_validation_context": {"match_typed_subject_alt_names": names},
            "validation_context_sds_secret_config": _secret("ca"),
        },
    }
    return _socket("UpstreamTlsContext", sni=name, common_tls_context=context)


def _secret(name: str) -> dict[str, Any]:
    source = {"path_config_source": {"path": f"/etc/envoy/sds/{name}.yaml"}}
    return {"name": name, "sds_config": {**source, "resource_api_version": "V3"}}


def _socket(context: str, **told: object) -> dict[str, Any]:
    typed = {"@type": f"{_TLS}{context}", **told}
    return {"name": "envoy.transport_sockets.tls", "typed_config": typed}
