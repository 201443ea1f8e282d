"""A real browser: where it is, and what a page must not do in it."""

import functools
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tools.stack.settings import REPOSITORY

WAIT_MILLISECONDS = 20_000
NAMES = ("chromium", "google-chrome", "/usr/bin/chromium")
KEY_PLACE = "paygate-key"
AXE = REPOSITORY / "console" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}

# Chromium's console does not name all of them. The reference's script tries whether it may make
# scripts of text, and does without.
_TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (found) => {
  const { effectiveDirective, blockedURI, sourceFile } = found;
  if (blockedURI === "eval" && sourceFile.endsWith("/docs/scalar.js")) return;
  console.error(`policy: ${effectiveDirective} ${blockedURI} ${sourceFile}`);
})"""


@contextmanager
def launched() -> Iterator[Browser]:
    """Start Chromium as the system has it, without a window; skip where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        assert not os.environ.get("CI"), "In CI there has to be a browser: apt-get install chromium"
        pytest.skip("There is no Chromium: apt-get install chromium")
    # Nobody sees what would be drawn smoothly.
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()


class Watch:
    """What goes wrong in the pages of a context.

    Answers of the API that are errors are none of it, though Chromium's console names them: a page
    shows them, and tests look there.

    Attributes:
        complaints: Errors of scripts and of the console, and what the page's policy refused.
        hosts: Whom it asked.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _hear(self, said: ConsoleMessage) -> None:
        path = urlsplit(said.location["url"]).path
        is_answer = said.text.startswith("Failed to load resource") and not is_page(path)
        if said.type == "error" and not is_answer:
            self.complaints.append(f"{said.text} ({path})")

    def check(self, host: str) -> None:
        """Fail if anything went wrong, or if anybody but this host was asked."""
        assert not self.complaints, self.complaints
        assert self.hosts - {""} <= {host}, self.hosts  # data has no host


def is_page(path: str) -> bool:
    """Tell whether a file of a page is there, and no answer of the API."""
    return path in {"", "/"} or (path.startswith(("/console", "/docs")) and path != "/docs/key")


def sign_in(context: BrowserContext, key: str) -> None:
    """Give the tabs of a context a key, as a link does: once, so that one can sign out."""
    told = json.dumps([KEY_PLACE, key])
    context.add_init_script(
        f"""if (location.protocol === "http:" && !sessionStorage.getItem("signed-in")) {{
            sessionStorage.setItem("signed-in", "once");
            sessionStorage.setItem(...{told});
        }}"""
    )


def accessible(page: Page) -> None:
    """Fail if axe-core finds what is serious for people who can't see, or can't use a mouse."""
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    grave = [
        f"{one['impact']}: {one['help']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["impact"] in SERIOUS
    ]
    assert not grave, "\n".join(grave)


def fits(page: Page) -> None:
    """Fail if a page is wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@functools.cache
def _axe() -> str:
    if not AXE.exists():
        assert not os.environ.get("CI"), "In CI there has to be axe-core: make node-modules"
        pytest.skip("npm's packages are not installed: make node-modules")
    return AXE.read_text()
