"""Everything a scenario may say, as a plugin for modules that run feature files.

Such a module says over which protocols its scenarios run, with the fixtures `client` (autouse) and
`other_client`.
"""

import pytest

pytest_plugins = [
    "tests.e2e.steps.access",
    "tests.e2e.steps.deliveries",
    "tests.e2e.steps.errors",
    "tests.e2e.steps.following",
    "tests.e2e.steps.listing",
    "tests.e2e.steps.logged",
    "tests.e2e.steps.merchants",
    "tests.e2e.steps.native",
    "tests.e2e.steps.outcome",
    "tests.e2e.steps.receiver",
    "tests.e2e.steps.requests",
    "tests.e2e.steps.rest",
    "tests.e2e.steps.sandbox",
    "tests.e2e.steps.story",
    "tests.e2e.steps.tokens",
    "tests.e2e.steps.validation",
    "tests.e2e.steps.webhooks",
]

# All before any: they import each other, and asserts explain themselves only in modules that are
# named before they are imported.
pytest.register_assert_rewrite(*pytest_plugins)
