"""File names from uploads and archives, made safe to be written."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME_BYTES = 200
"""The longest name. File systems take 255; a number, a suffix and `.part` have to fit behind it."""
_MAX_FOLDERS_BYTES = 600
"""For all folders together. Systems take about 1,000 for a path, Windows 260."""
_REPLACED = frozenset('<>:"|?*\\/')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\.|$)", re.I)
"""Devices of Windows, with any suffix."""


_LITTER = frozenset({"thumbs.db", "desktop.ini", ".ds_store", "ehthumbs.db"})


def is_litter(name: str) -> bool:
    """Whether operating systems leave such files beside images by themselves."""
    return name.startswith("._") or name.casefold() in _LITTER


def safe_stem(name: str, default: str = "image") -> str:
    """The last part of a path without its suffix, as `safe_name` makes it."""
    path = safe_path(name)
    return default if path is None else safe_name(path.stem) or default


def safe_path(name: str) -> PurePosixPath | None:
    """A relative path without `..` of names that `safe_name` made; None if nothing is left of it.

    If there are too many folders, the innermost are kept.
    """
    parts = [safe for part in re.split(r"[/\\]", name) if (safe := safe_name(part))]
    if not parts:
        return None
    *folders, last = parts
    kept: list[str] = []
    left_bytes = _MAX_FOLDERS_BYTES
    for folder in reversed(folders):
        left_bytes -= len(folder.encode()) + 1
        if left_bytes < 0:
            break
        kept.insert(0, folder)
    return PurePosixPath(*kept, last)


def safe_name(part: str) -> str:
    """One name that every usual file system takes; empty if nothing is left ("", ".", "..").

    Unicode in NFC; no control or formatting characters, separators, or what Windows refuses; at most
    MAX_NAME_BYTES of UTF-8. A longer name is cut and ends in a digest, so that it stays distinct.
    """
    text = part.encode("utf-8", "replace").decode("utf-8")
    text = "".join(_safe_character(c) for c in unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFC", text).strip().rstrip(". ")
    if text.strip(".") == "":
        return ""
    if _RESERVED.match(text):
        text = f"_{text}"
    return shortened(text)


def shortened(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """The name, or its beginning, a digest of all of it and its suffix, in at most `max_bytes` bytes.

    The name may hold what is not Unicode, as Python has it in paths.
    """
    raw = name.encode("utf-8", "surrogateescape")
    if len(raw) <= max_bytes:
        return name
    suffix = PurePosixPath(name).suffix.encode("utf-8", "surrogateescape")
    suffix = suffix if len(suffix) <= 16 else b""
    mark = b"~" + hashlib.sha256(raw).hexdigest()[:8].encode()
    start = raw[: max_bytes - len(mark) - len(suffix)].decode("utf-8", "ignore").rstrip(". ")
    return start + mark.decode() + suffix.decode("utf-8", "surrogateescape")


def same_name(name: str) -> str:
    """Equal for names that differ in case or in how their letters are composed (NFC, NFD)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe_character(character: str) -> str:
    # Control, formatting (which can reverse the text), surrogates. Emoji and Persian need the joiners.
    kind = unicodedata.category(character)
    hidden = kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u200c\u200d"
    return "_" if hidden or character in _REPLACED else character
