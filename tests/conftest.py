from collections.abc import Iterator

import pytest

from tests.inprocess import service_in_threads
from tests.service import ServiceClient


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    """One service for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("service")
    with service_in_threads(folder, max_upload_bytes=2_000_000, max_input_pixels=1_000_000) as running:
        yield running
