"""Paths of REST are compared as clients use them."""

from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.api.http_pb2 import CustomHttpPattern, HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.edge.breaking import breaking

OLD = HttpRule(post="/things/{id}", body="*", additional_bindings=[HttpRule(get="/v1/things")])


def written(path: Path, **methods: HttpRule) -> Path:
    """Write a descriptor set with one service."""
    files = FileDescriptorSet()
    service = files.file.add(name="a.proto", package="a").service.add(name="S")
    for name, rule in methods.items():
        service.method.add(name=name).options.Extensions[annotations_pb2.http].CopyFrom(rule)
    path.write_bytes(files.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (OLD, []),
        # The name of a variable is not in a request, and more paths hurt nobody.
        (
            HttpRule(
                post="/things/{name}",
                body="*",
                additional_bindings=[HttpRule(get="/v1/things"), HttpRule(get="/new")],
            ),
            [],
        ),
        (
            HttpRule(post="/things/{id}", body="*"),
            ["GET /v1/things is gone (a.S/Do is now POST /things/{})"],
        ),
        (
            HttpRule(put="/things/{id}", body="*", additional_bindings=OLD.additional_bindings),
            ["POST /things/{} is gone (a.S/Do is now GET /v1/things, PUT /things/{})"],
        ),
        (
            HttpRule(post="/things/{id}", additional_bindings=OLD.additional_bindings),
            ["POST /things/{} had the body '*' and has ''"],
        ),
        (
            HttpRule(custom=CustomHttpPattern(kind="PURGE", path="/things")),
            [
                "GET /v1/things is gone (a.S/Do is now PURGE /things)",
                "POST /things/{} is gone (a.S/Do is now PURGE /things)",
            ],
        ),
    ],
)
def test_what_clients_would_no_longer_find_is_said(
    tmp_path: Path, rule: HttpRule, said: list[str]
) -> None:
    """Verb, path and body are the client's; names of variables and new paths are not."""
    old, new = written(tmp_path / "old", Do=OLD), written(tmp_path / "new", Do=rule)
    assert breaking(old, new) == said


def test_a_path_that_leads_elsewhere_is_said(tmp_path: Path) -> None:
    """A path that another method answers is another path."""
    old = written(tmp_path / "old", Do=HttpRule(get="/a"), Undo=HttpRule(get="/b"))
    new = written(tmp_path / "new", Do=HttpRule(get="/b"), Undo=HttpRule(get="/a"))
    assert breaking(old, new) == [
        "GET /a led to a.S/Do and leads to a.S/Undo",
        "GET /b led to a.S/Undo and leads to a.S/Do",
    ]


def test_a_method_that_vanished_is_said(tmp_path: Path) -> None:
    """It is nowhere."""
    old, new = written(tmp_path / "old", Do=HttpRule(get="/a")), written(tmp_path / "new")
    assert breaking(old, new) == ["GET /a is gone (a.S/Do is now nowhere)"]
