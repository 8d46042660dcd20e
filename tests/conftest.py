from collections.abc import Iterator

import pytest

from tests.service import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, max_upload_bytes=2_000_000, max_input_pixels=1_000_000) as running:
        yield running
