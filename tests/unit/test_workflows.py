"""What the machines of the repository run: everything that `make` has to test with."""

import re
from typing import Any

import yaml

from tools.stack.settings import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
TARGETS = {"check", "test", "test-root", "e2e-docker", "chaos", "fuzz", "attack", "audit", "images"}


def runs(name: str) -> list[str]:
    """Return what a workflow runs, with the values of its matrix put in."""
    jobs = yaml.safe_load((WORKFLOWS / name).read_text())["jobs"]
    return [line for job in jobs.values() for line in lines_of(job)]


def lines_of(job: dict[str, Any]) -> list[str]:
    """Return what a job runs."""
    targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
    lines = [step.get("run", "") for step in job["steps"]]
    return [line.replace('"${TARGET}"', target) for target in targets for line in lines]


def test_every_kind_of_test_is_run_by_some_workflow() -> None:
    """Those of every change, those that only root can, and at night those that take long."""
    said = " ".join([*runs("ci.yml"), *runs("long.yml"), (REPOSITORY / ".ci/run").read_text()])
    assert TARGETS - set(re.findall(r"make ([a-z0-9-]+)", said)) == set()
    made = re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert set(made) >= TARGETS


def test_what_only_root_can_is_run_as_root() -> None:
    """By one job, and each such test has the marker that the job asks for."""
    (as_root,) = (line for line in runs("ci.yml") if "make test-root" in line)
    assert as_root.startswith("sudo ")
    skipping = re.compile(r"skipif\(.*geteuid")
    files = (REPOSITORY / "tests").rglob("*.py")
    assert [path for path in files if skipping.search(path.read_text())] == []
