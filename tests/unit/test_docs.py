"""The documents name only what there is: settings, files, targets, reasons, links."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from paygate.payments.v1.payment_pb2 import Payment
from services.acquirer.config import Config
from services.events.config import Settings as EventsSettings
from services.events.refusals import CODES as EVENTS_CODES
from services.payments.api.refusals import CODES as PAYMENTS_CODES
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings
from tests.committed import PAGES
from tools.stack.settings import PORT_DEFAULT, REPOSITORY

README = REPOSITORY / "README.md"
TOUR = REPOSITORY / "docs" / "tour.md"
API = REPOSITORY / "docs" / "api.md"
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
OPERATIONS = REPOSITORY / "docs" / "operations.md"
ADRS = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
OTHERS = [REPOSITORY / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")]
CLIENTS = sorted((REPOSITORY / "clients").glob("*/README.md"))
EXAMPLES = sorted((REPOSITORY / "examples").glob("*/README.md"))
DOCUMENTS = [README, *OTHERS, *CLIENTS, *EXAMPLES, *PAGES]

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_SETTING = re.compile(r"^\| `([A-Z_]+)` \| ([^|]*) \|", re.MULTILINE)
_NAMED = re.compile(r"`(?:[\w.]+\.)?([a-z_]+)\.([A-Z]\w*|py|sql)`")
_TARGET = re.compile(r"`make ([a-z0-9-]+)[^`]*`|^\$ make ([a-z0-9-]+)$", re.MULTILINE)


def section(document: Path, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level."""
    _, _, after = document.read_text().partition(f"\n## {heading}\n")
    assert after, f"{document.name} has no section {heading!r}"
    return after.partition("\n## ")[0]


def anchors(document: Path) -> set[str]:
    """Return what a link can point to inside a document."""
    headings = _HEADING.findall(document.read_text())
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def defaults(model: type[BaseSettings], prefix: str) -> dict[str, str]:
    """Return each variable of a settings class with its default as the documents write it."""
    found = {}
    for name, field in model.model_fields.items():
        variable = field.validation_alias or f"{prefix}{name.upper()}"
        found[str(variable)] = "required" if field.is_required() else f"`{field.default}`"
    return found


@pytest.mark.parametrize("folder", ["services/payments", "pkg"])
def test_layers_are_those_that_are_checked(folder: str) -> None:
    """What the architecture lists is what `make check` holds imports to."""
    told = re.search(rf"^{folder}: +(.*)$", ARCHITECTURE.read_text(), re.MULTILINE)
    assert told
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (layers,) = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == [folder.replace("/", ".")]
    ]
    assert [re.split(", ", layer) for layer in re.split(" +> +", told[1])] == [
        layer.split(" | ") for layer in layers
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link leads to a file of the repository, and to a heading if it names one."""
    for link in _LINK.findall(document.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.is_relative_to(REPOSITORY), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    """Every path in code style that begins with a folder of the repository is there."""
    folders = {"proto", "build", "services", "pkg", "tools", "tests", "bench", "docs"}
    folders |= {"clients", "console", "examples"}
    for code in _CODE.findall(document.read_text()):
        if code.split("/")[0] in folders and "/" in code and " " not in code:
            assert (REPOSITORY / code).exists(), code


def test_the_readme_is_short() -> None:
    """It is read on one screen and a half, and leads to the rest."""
    assert len(README.read_text().splitlines()) <= 150


def test_the_layout_is_the_repositorys() -> None:
    """Everything in the tour's layout exists, and folders end with a slash."""
    layout = section(TOUR, "Where things are").partition("```text\n")[2].partition("```")[0]
    assert layout
    for line in layout.splitlines():
        for name in line.split("  ")[0].split(", "):
            path = REPOSITORY / name
            assert path.is_dir() if name.endswith("/") else path.is_file(), name


def test_the_tour_ends_where_it_says() -> None:
    """A capture is decided, written and declared in the files that the tour names."""
    payment = (REPOSITORY / "services/payments/domain/payment.py").read_text()
    assert "class Payment:" in payment
    assert "def capture(" in payment
    statements = REPOSITORY / "services/payments/adapters/sql"
    assert "UPDATE payments" in (statements / "begin.sql").read_text()
    assert "UPDATE payments" in (statements / "settle_operation.sql").read_text()
    protos = REPOSITORY / "proto/api/paygate/payments/v1"
    assert 'post: "/capture"' in (protos / "payment_service.proto").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_targets_exist(document: Path) -> None:
    """Every `make` command in a document is a target, which make itself can resolve."""
    found = {name for pair in _TARGET.findall(document.read_text()) for name in pair if name}
    if document == README:
        assert {"run", "test"} <= found
    for target in found:
        command = ["make", "-n", target]
        tried = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
        assert tried.returncode == 0, (target, tried.stderr)


@pytest.mark.parametrize(
    ("heading", "model", "prefix"),
    [
        ("Settings of the gateway", Settings, "PAYGATE_"),
        ("Settings of the admin process", AdminSettings, "PAYGATE_"),
        ("Settings of the events service", EventsSettings, "PAYGATE_"),
        ("Settings of the bank", Config, "ACQUIRER_"),
    ],
)
def test_every_setting_is_documented_with_its_default(
    heading: str, model: type[BaseSettings], prefix: str
) -> None:
    """The tables of operations.md hold each setting of a service with its default, and no other."""
    assert dict(_SETTING.findall(section(OPERATIONS, heading))) == defaults(model, prefix)


def test_every_setting_of_make_run_is_documented() -> None:
    """What the local stack reads from its environment is in operations.md, and nothing else."""
    sources = ("tools/stack/settings.py", "pkg/process/data_folder.py")
    source = "".join((REPOSITORY / name).read_text() for name in sources)
    read = set(re.findall(r'environment(?:\.get\(|, )"([A-Z_]+)"', source))
    documented = dict(_SETTING.findall(section(OPERATIONS, "Settings of `make run`")))
    assert set(documented) == read
    assert documented["PAYGATE_PORT"] == f"`{PORT_DEFAULT}`"


def test_every_reason_is_documented_with_its_code() -> None:
    """The table of errors has each refusal beside its gRPC code, the edge's, and no other."""
    rows: dict[str, set[str]] = {}
    for row in section(API, "Errors").splitlines():
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if len(cells) == 3:
            for reason in re.findall(r"`([A-Z_]{4,})`", cells[2]):
                rows.setdefault(reason, set()).add(cells[1])
    codes = {**PAYMENTS_CODES, **EVENTS_CODES}
    for error, code in codes.items():
        assert code.name in rows[error.reason], error.reason
    known = {error.reason for error in codes} | edge_reasons() | {"INTERNAL"}
    assert set(rows) == known


def edge_reasons() -> set[str]:
    """Return the reasons of the errors that Envoy makes by itself."""
    config = yaml.safe_load((REPOSITORY / "envoy.yaml").read_text())
    replies = set(re.findall(r"'reason': '([A-Z_]+)'", str(config)))
    # The script's reasons are the only texts of capitals in it.
    return replies | set(re.findall(r'"([A-Z]+_[A-Z_]+)"', edge_script()))


def edge_script() -> str:
    """Return the parts of Envoy's script that are written by hand."""
    return "".join(path.read_text() for path in (REPOSITORY / "tools" / "edge").glob("*.lua"))


def test_the_picture_of_a_payments_life_has_every_status() -> None:
    """And no other."""
    picture = (REPOSITORY / "docs" / "images" / "life-of-a-payment.svg").read_text()
    drawn = set(re.findall(r'class="name"[^>]*>([A-Z_]+)<', picture))
    names = {name.removeprefix("STATUS_") for name in Payment.Status.DESCRIPTOR.values_by_name}
    assert drawn == names - {"UNSPECIFIED"}


def test_decisions_are_numbered_and_complete() -> None:
    """Decisions have a number each, have the three parts, and architecture.md lists them."""
    listed = section(REPOSITORY / "docs" / "architecture.md", "Decisions")
    assert len({adr.name[:4] for adr in ADRS}) == len(ADRS)
    for adr in ADRS:
        text, number = adr.read_text(), int(adr.name[:4])
        assert text.startswith(f"# {number}. ")
        assert _HEADING.findall(text)[1:] == ["Context", "Decision", "Consequences"], adr.name
        assert f"(adr/{adr.name})" in listed


def test_comments_name_what_there_is() -> None:
    """A `module.Class` or `file.py` that code mentions is one of ours, or one that it uses."""
    folders = ("bench", "pkg", "services", "tools")
    sources = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    texts = {path: path.read_text() for path in sources}
    files = {path.name for folder in folders for path in (REPOSITORY / folder).rglob("*.*")}
    classes = {
        (path.stem, name)
        for path, text in texts.items()
        for name in re.findall(r"^(?:class )?([A-Z]\w*)", text, re.MULTILINE)
    }
    for path, text in texts.items():
        for module, name in _NAMED.findall(text):
            full = f"{module}.{name}"
            is_ours = (module, name) in classes or full in files
            assert is_ours or re.search(rf"[^`]\b{full}\b[^`]", text), (path, full)
