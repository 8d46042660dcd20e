from collections.abc import Iterator

import pytest

from tests.models.server import FileServer, running_server


@pytest.fixture
def server() -> Iterator[FileServer]:
    with running_server() as running:
        yield running
