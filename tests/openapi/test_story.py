"""What makes an answer an example's: the comparison itself."""

from typing import Any

import pytest

from tests.openapi.story import Names, differences

PAYMENT, OTHER = "pay_01kb5va2e3dzvmxxqkfbf5kznw", "pay_01kb5va2e3dzvmxxqkfbf5kzzz"
ACTION = "act_01kb5va2e3dzvmxxqkfbf5kznw"
ACTUAL, ACTUAL_OTHER = "pay_01m8gymbmae97a0683h5tz59rc", "pay_01m8gymbmae97a0683h5tz59zz"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"id": PAYMENT}, {"id": ACTUAL}),
        ({"id": PAYMENT, "again": PAYMENT}, {"id": ACTUAL, "again": ACTUAL}),
        ([PAYMENT, OTHER], [ACTUAL, ACTUAL_OTHER]),
        ({"at": "2026-11-28T12:00:00Z"}, {"at": "2031-01-01T00:00:00.123456Z"}),
        (
            {"text": f"of {PAYMENT} at 2026-11-28T12:00:00Z"},
            {"text": f"of {ACTUAL} at 2031-01-01T00:00:00Z"},
        ),
        ({"secret": "whsec_…"}, {"secret": "whsec_abc"}),
        ({"next_page_token": "abc"}, {"next_page_token": "xyz"}),
        ({"next_page_token": ""}, {"next_page_token": ""}),
        ({"n": 1, "done": True, "none": []}, {"none": [], "done": True, "n": 1}),
    ],
)
def test_ids_and_times_stand_for_others(expected: Any, actual: Any) -> None:
    """The same one for the same one, wherever it is."""
    assert differences(Names(), expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"id": PAYMENT, "again": PAYMENT}, {"id": ACTUAL, "again": ACTUAL_OTHER}),
        ({"id": PAYMENT, "other": OTHER}, {"id": ACTUAL, "other": ACTUAL}),
        ({"id": ACTION}, {"id": ACTUAL}),
        ({"id": PAYMENT}, {"id": ""}),
        ({"at": "2026-11-28T12:00:00Z"}, {"at": "soon"}),
        ({"minor_units": "1000"}, {"minor_units": "1001"}),
        ({"minor_units": "1000"}, {"minor_units": 1000}),
        ({"done": True}, {"done": 1}),
        ({"status": "STATUS_CAPTURED"}, {"status": "STATUS_VOIDED"}),
        ({"decline": {}}, {}),
        ({}, {"decline": {}}),
        ([1], [1, 1]),
        ({"secret": "whsec_…"}, {"secret": ""}),
        ({"next_page_token": ""}, {"next_page_token": "xyz"}),
        ({"next_page_token": "abc"}, {"next_page_token": ""}),
    ],
)
def test_nothing_else_does(expected: Any, actual: Any) -> None:
    """One id is not two things, nor two ids one; and all else is what it is."""
    assert differences(Names(), expected, actual)


def test_what_is_known_is_put_into_requests() -> None:
    """At any depth, and nothing else is changed."""
    names = Names()
    assert not differences(names, {"id": PAYMENT}, {"id": ACTUAL})
    assert names.put_in({"a": [PAYMENT, OTHER], "n": 1}) == {"a": [ACTUAL, OTHER], "n": 1}
