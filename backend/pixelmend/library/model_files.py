"""Model files that lie anywhere, for one engine: it gets a models directory that has that file alone."""

import os
from os import PathLike
from pathlib import Path

from pixelmend.library.errors import InvalidArgument
from pixelmend.models.catalog import WEIGHT_SUFFIXES, load_catalog


def named_file(model: str | PathLike[str]) -> Path | None:
    """The file that `model` names by its suffix; None for an id. Raises InvalidArgument for an absent one."""
    path = Path(model)
    if path.suffix.lower() not in WEIGHT_SUFFIXES:
        if isinstance(model, str):
            return None
        raise InvalidArgument(f"model={os.fspath(model)!r} does not end with {', '.join(WEIGHT_SUFFIXES)}")
    if not path.is_file():
        raise InvalidArgument(f"model={os.fspath(model)!r} is no file")
    return path.resolve()


def id_of(file: Path) -> str:
    """Its stem, but for names of the catalog: those promise what is in the file, and this one may have been
    trained further.
    """
    shipped = {entry.id for entry in load_catalog(Path(os.devnull)).entries}
    return f"{file.stem}-file" if file.stem in shipped else file.stem


def folder_with(folder: Path, model_id: str, file: Path) -> Path:
    """Makes `folder`, with the file as that model in it."""
    folder.mkdir()
    place = folder / f"{model_id}{file.suffix.lower()}"
    try:
        place.hardlink_to(file)  # it stays if the file is removed
    except OSError:  # it lies on another disk, or is another user's
        place.symlink_to(file)
    return folder
