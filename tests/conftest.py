import logging
from collections.abc import Iterator

import pytest

from pixelmend.core.telemetry import SERVICE_LOGGER
from tests.drills import DrillTable
from tests.inprocess import service_in_threads
from tests.service import ServiceClient


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `full` run with --full, and if a test is named by its id."""
    if config.getoption("--full") or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


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


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    """One service for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("service")
    with service_in_threads(folder, max_upload_bytes=2_000_000, max_input_pixels=1_000_000) as running:
        yield running
