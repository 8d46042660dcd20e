from collections.abc import Iterator

import pytest

from pixelmend.core.config import Settings
from pixelmend.core.telemetry import Logger
from pixelmend.engine.in_process import InProcessEngine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessEngine]:
    """An engine on the CPU that has no service around it."""
    settings = Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"), device="cpu")
    engine = InProcessEngine(settings, Logger())
    yield engine
    engine.close()
