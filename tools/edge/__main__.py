"""`python -m tools.edge`: production's configuration, made of envoy.yaml, and the paths of REST."""

import argparse
import ipaddress
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tools.edge import pages
from tools.edge.breaking import breaking
from tools.edge.production import DOMAINS, production, traced
from tools.edge.rehearsal import rehearsed
from tools.edge.tracing import Traces
from tools.stack import envoy
from tools.stack.errors import StackError

PAGES = Path("/etc/envoy/pages")
TRACED = envoy.PRODUCTION.with_name("traced.yaml")


def main() -> int:
    """Write the configuration, let Envoy check it, or compare paths; return the exit code."""
    arguments = _parser().parse_args()
    if arguments.command in {"production", "traced"}:
        return _write(arguments)
    if arguments.command == "breaking":
        said = breaking(arguments.old, arguments.new)
        print(*said, sep="\n", end="\n" if said else "", file=sys.stderr)
        return int(bool(said))
    with tempfile.TemporaryDirectory() as folder:
        config = rehearsed(tls=Path(folder, "tls"), folder=Path(folder))
        try:
            envoy.check(yaml.safe_dump(config), name=envoy.PRODUCTION.name)
        except StackError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _write(arguments: argparse.Namespace) -> int:
    sandbox = yaml.safe_load(envoy.SOURCE.read_text())
    try:
        traces = None
        if arguments.traces is not None:
            traces = Traces(url=arguments.traces, share=arguments.share)
    except ValueError as problem:
        print(f"--traces, --share: {problem}", file=sys.stderr)
        return 2
    if arguments.command == "production":
        text = production(
            sandbox,
            domains=arguments.domain or DOMAINS,
            origins=arguments.origin,
            machines=arguments.machine,
            shown=_written(arguments.pages),
            traces=traces,
        )
    else:
        assert traces  # the parser wants it
        text = traced(sandbox, traces)
    arguments.output.write_text(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.edge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("production", help="write it")
    making.add_argument(
        "--domain", action="append", metavar="NAME", help="where clients reach it; may be repeated"
    )
    making.add_argument(
        "--origin",
        action="append",
        default=[],
        type=_origin,
        metavar="URL",
        help="whose pages may call it from a browser, as https://console.example.com",
    )
    making.add_argument(
        "--machine",
        action="append",
        default=[],
        type=_address,
        metavar="ADDRESS",
        help="where every service runs, at the ports of deploy/ha; may be repeated. Without it DNS"
        " knows the services by their names",
    )
    making.add_argument(
        "--pages",
        type=Path,
        metavar="FOLDER",
        help=f"serve the API reference; its files are written there, and belong in {PAGES}",
    )
    making.add_argument("--output", type=Path, default=envoy.PRODUCTION, metavar="FILE")
    tracing = commands.add_parser("traced", help="write envoy.yaml with spans")
    tracing.add_argument("--output", type=Path, default=TRACED, metavar="FILE")
    for writing in (making, tracing):
        writing.add_argument(
            "--traces",
            metavar="URL",
            required=writing is tracing,
            help="where spans are sent, as http://collector:4318/v1/traces",
        )
        writing.add_argument("--share", type=float, default=1.0, help="of requests, from 0 to 1")
    commands.add_parser("validate", help="let Envoy check it")
    comparing = commands.add_parser(
        "breaking", help="fail if a path of REST is no longer as it was"
    )
    comparing.add_argument("old", type=Path, help="the descriptor set that clients know")
    comparing.add_argument("new", type=Path)
    return parser


def _written(folder: Path | None) -> Path | None:
    """Write the files of pages, if they are wanted, and return where Envoy finds them."""
    if folder is None:
        return None
    folder.mkdir(exist_ok=True)
    pages.write(pages.pages(), folder)
    return PAGES


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if not parts.hostname or text != f"{parts.scheme}://{parts.netloc}".lower():
        raise argparse.ArgumentTypeError("an origin is https:// and a host, in lower case")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("a machine is an IP address: no DNS is asked") from None


if __name__ == "__main__":
    sys.exit(main())
