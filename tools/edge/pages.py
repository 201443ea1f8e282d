"""The pages that the edge serves: what the API is, for people and for programs.

Each is a file and has routes of its own, which answer with it. Envoy's filter for files is not
used: its makers do not promise that it holds against attackers, and it follows links.
"""

import base64
import functools
import gzip
import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pkg.process.called import RUN, as_here
from tools.stack.errors import StackError

HERE: Final = Path(__file__).parent / "page_files"
BUILD: Final = Path(__file__).parents[2] / "build"
OPENAPI: Final = BUILD / "openapi.json"
# The package brings this file of @scalar/api-reference 1.76.0, byte for byte, which is all we use.
SCALAR: Final = ("flask_openapi_scalar", "templates/scalar/js/scalar.standalone.js")
# As npm and browsers write it.
SCALAR_INTEGRITY: Final = "sha384-oH1C0RwqcwbVXkC+r8A+4qRoyEUQdtxAzOwumkxZtQBBcsy61FOoPt7B50OVJYYQ"
# Of which sheets of style alone may stand in the page itself, for the reference makes its own.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
# Nothing stands in the page itself but its icon, which is data.
CONSOLE_POLICY: Final = (
    "default-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
LINKS: Final = {
    "console": "/console",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "llms": "/llms.txt",
    "health": "/health",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file that is served.

    Attributes:
        path: Where, exactly.
        file: Its name among the files of all pages.
        accept: Whose `accept` has this in it gets it; everybody where it is empty.
        policy: What it may do in a browser, if it is HTML.
        is_plain: Whether it is served as it is to those who want it so. What is large and for
            browsers alone, which all read gzip, is not: each copy that waits to be taken is in
            Envoy's memory.
    """

    path: str
    file: str
    content_type: str
    body: bytes
    accept: str = ""
    policy: str = POLICY
    is_plain: bool = True

    @property
    def tag(self) -> str:
        """What changes with the body."""
        return hashlib.sha256(self.body).hexdigest()[:32]


def pages() -> tuple[Page, ...]:
    """Return them, in the order in which their routes are asked.

    Raises:
        StackError: The reference is not the one that was looked at.
    """
    html, script, text = (f"text/{kind}; charset=utf-8" for kind in ("html", "javascript", "plain"))
    about = json.dumps({"name": "paygate", "links": LINKS}).encode()
    own = {
        file: as_here((HERE / file).read_bytes())
        for file in ("index.html", "docs.html", "page.js", "llms.txt")
    }
    as_json = "application/json"
    return (
        Page(
            path="/",
            file="index.html",
            content_type=html,
            body=own["index.html"],
            accept="text/html",
        ),
        Page(path="/", file="index.json", content_type=as_json, body=about),
        Page(path="/docs", file="docs.html", content_type=html, body=own["docs.html"]),
        Page(path="/docs/page.js", file="page.js", content_type=script, body=own["page.js"]),
        Page(
            path="/docs/scalar.js",
            file="scalar.js",
            content_type=script,
            body=_scalar(),
            is_plain=False,
        ),
        Page(path="/llms.txt", file="llms.txt", content_type=text, body=own["llms.txt"]),
        Page(
            path="/openapi.json",
            file="openapi.json",
            content_type=as_json,
            body=as_here(OPENAPI.read_bytes()),
        ),
        *_console(html, script),
    )


def _console(html: str, script: str) -> Iterator[Page]:
    """Yield the files that `make console` makes: html and script are the types of two of them."""
    types = {"console.js": script, "console.css": "text/css; charset=utf-8"}
    folder = BUILD / "console"
    yield Page(
        path="/console",
        file="console.html",
        content_type=html,
        body=as_here((folder / "index.html").read_bytes()),
        policy=CONSOLE_POLICY,
    )
    for file, content_type in types.items():
        yield Page(
            path=f"/console/{file}",
            file=file,
            content_type=content_type,
            body=as_here((folder / file).read_bytes()),
            is_plain=False,
        )


def write(made: Sequence[Page], folder: Path) -> list[Path]:
    """Write the files of pages into a folder that is there, and return them."""
    written = []
    for page in made:
        files = {f"{page.file}.gz": zipped(page.body)}
        if page.is_plain:
            files[page.file] = page.body
        for name, body in files.items():
            (folder / name).write_bytes(body)
            written.append(folder / name)
    return written


@functools.cache
def zipped(body: bytes) -> bytes:
    """Return a body as it is sent compressed."""
    return gzip.compress(body, 6, mtime=0)


def integrity(body: bytes) -> str:
    """Return by what a file is known (Subresource Integrity)."""
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode()}"


def _scalar() -> bytes:
    package, file = SCALAR
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise StackError(f"The API reference is not installed in the virtual environment: `{RUN}`.")
    body = Path(found.submodule_search_locations[0], file).read_bytes()
    if integrity(body) != SCALAR_INTEGRITY:
        raise StackError("The API reference is not the file that tools/edge/pages.py names.")
    return body
