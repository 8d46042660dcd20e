"""Two networks of one kind, mixed weight by weight (deep network interpolation)."""

from collections.abc import Sequence
from pathlib import Path

import safetensors.numpy

from pixelmend.engine.weights.files import read_state
from pixelmend.library.errors import InvalidArgument


def mix(first: Path, second: Path, shares: Sequence[float], mixed: Path) -> None:
    """Write `shares[0]` of the first and `shares[1]` of the second into the .safetensors file `mixed`.

    Raises InvalidArgument if their tensors differ in names or shapes, ModelUnusable for a damaged file.
    """
    one, other = read_state(first), read_state(second)
    if {n: t.shape for n, t in one.items()} != {n: t.shape for n, t in other.items()}:
        raise InvalidArgument(f"{first.name} and {second.name} are different networks and cannot be mixed")
    tensors = {name: shares[0] * tensor + shares[1] * other[name] for name, tensor in one.items()}
    safetensors.numpy.save_file(tensors, mixed)
