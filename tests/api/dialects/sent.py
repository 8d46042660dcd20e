"""Pictures as the clients of other programs send them."""

import base64

import numpy as np

from tests.pictures import encoded, photo

SIDE_PX = 64
IMAGE = photo(side_px=SIDE_PX)
HOLE = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
HOLE[20:30, 24:40] = True
FAR = np.ones_like(HOLE)
FAR[14:36, 18:46] = False
"""Where nothing is changed: farther from the hole than masks grow."""
WHITE_MASK = encoded(HOLE.astype(np.uint8) * 255)
TRANSPARENT_MASK = encoded(
    np.dstack([np.zeros((SIDE_PX, SIDE_PX, 3)), np.where(HOLE, 0, 255)]).astype(np.uint8)
)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{text(data)}"
