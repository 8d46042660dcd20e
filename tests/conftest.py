import gc
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import fastapi.dependencies.models
import pytest

from pixelmend.core.telemetry import SERVICE_LOGGER
from tests.drills import DrillTable
from tests.inprocess import service_in_threads
from tests.service import ServiceClient

_ALL_FULL = re.compile(r"^pytestmark = \[?pytest\.mark\.full\b", re.MULTILINE)
"""How a module says that all of its tests are marked `full`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="what takes long as well: `make test-full`")
    parser.addoption("--drills", action="store_true", help="print a table of the drills that ran")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--drills"):
        config.pluginmanager.register(DrillTable(kills_of(config)))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last lines name what failed: often they are all that is kept of a long run."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for report in [*reporter.stats.get("failed", []), *reporter.stats.get("error", [])]:
            reporter.write_line(f"{report.outcome} ({report.when}): {report.nodeid}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module of nothing but `full` tests is not imported if they do not run: every worker would do so."""
    if config.getoption("--full") or any(collection_path.name in argument for argument in config.args):
        return None
    if collection_path.suffix == ".py" and _ALL_FULL.search(collection_path.read_text()):
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `full` run with --full, and if a test is named by its id."""
    if config.getoption("--full") or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_collection_finish() -> None:
    """Evicting a model collects garbage, which takes a second if it looks through all that tests import."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Frozen objects are not freed at exit, and some extensions print a report of leaks then."""
    gc.unfreeze()


def kills_of(config: pytest.Config) -> int:
    """How often a drill kills what it kills."""
    return 20 if config.getoption("--full") else 4


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    return kills_of(request.config)


@pytest.fixture(autouse=True)
def _log_stays_where_it_goes() -> Iterator[None]:
    """A test that sets the log of this process up takes it from no service that other tests share."""
    ours = logging.getLogger(SERVICE_LOGGER)
    before = (ours.handlers[:], ours.level, ours.propagate)
    yield
    ours.handlers, level, ours.propagate = before
    ours.setLevel(level)


@pytest.fixture(autouse=True, scope="module")
def _applications_go() -> Iterator[None]:
    """FastAPI remembers some thousand functions, and each keeps the application that it was made in.

    That is a million objects, which every collection of garbage would look through.
    """
    yield
    for remembered in vars(fastapi.dependencies.models).values():
        if hasattr(remembered, "cache_clear"):
            remembered.cache_clear()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    """One service for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("service")
    with service_in_threads(folder, max_upload_bytes=2_000_000, max_input_pixels=1_000_000) as running:
        yield running
