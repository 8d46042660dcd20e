from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def gradients() -> Iterator[None]:
    """An engine that an earlier test built in this process has switched them off, as a worker wants it."""
    with torch.enable_grad():
        yield
