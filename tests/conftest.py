"""What more than one test file needs: the tools outside Python, and how hypothesis runs."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from hypothesis import settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser")
MARKS = {"chromium": "browser", "pdflatex": "latex", "xelatex": "latex"}

settings.register_profile("derive", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("derive")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a tool is marked, so that `-m "not browser and not latex"` leaves it out."""
    for item in items:
        for mark in {MARKS[name] for name in getattr(item, "fixturenames", ()) if name in MARKS}:
            item.add_marker(mark)


PUBLISHED = pytest.StashKey[list[str]]()


@pytest.fixture
def published(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are printed after the tests, whether they pass or not."""
    lines = request.config.stash.setdefault(PUBLISHED, [])
    output = getattr(request.config, "workeroutput", None)
    if output is not None:  # a worker of xdist hands them to the process that prints
        lines = output.setdefault("published", lines)
    return lines


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The lines of a worker of xdist that has finished."""
    node.config.stash.setdefault(PUBLISHED, []).extend(getattr(node, "workeroutput", {}).get("published", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures that tests publish."""
    if lines := config.stash.get(PUBLISHED, []):
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(lines))


def tool(names: tuple[str, ...], required_by: str) -> str:
    """The path of the first program that is installed. Without one the test is skipped, or fails if required."""
    for name in names:
        if path := shutil.which(name):
            return path
    problem = f"{' or '.join(names[:1] if len(names) > 2 else names)} is not installed"
    if os.environ.get(required_by, "") not in ("", "0"):
        pytest.fail(f"{problem}, and {required_by} is set", pytrace=False)
    pytest.skip(problem)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium-family browser."""
    return tool((*filter(None, [os.environ.get("DERIVE_BROWSER")]), *BROWSERS), "DERIVE_REQUIRE_BROWSER")


@pytest.fixture(scope="session")
def pdflatex() -> str:
    return tool(("pdflatex",), "DERIVE_REQUIRE_LATEX")


@pytest.fixture(scope="session")
def xelatex() -> str:
    return tool(("xelatex",), "DERIVE_REQUIRE_LATEX")
