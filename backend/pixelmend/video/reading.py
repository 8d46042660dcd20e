"""Turns what FFmpeg's libraries raise for a foreign file into an error of ours."""

import errno
from contextlib import AbstractContextManager

from pixelmend.core.errors import CorruptVideo
from pixelmend.imaging.boundary import reading


def reading_film(what: str = "the film") -> AbstractContextManager[None]:
    """what: names what is read in the message. Raises CorruptVideo.

    FFmpeg tells of files that are cut off as it tells of disks that fail.
    """
    return reading(what, CorruptVideo, of_the_file=frozenset({errno.EIO}))
