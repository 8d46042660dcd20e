"""The server that one writes around RealESRGANer in an afternoon: the model in memory, PNG through Pillow.

python -m benchmarks.peers.plain_server --weights FILE.pth --architecture compact --port 8001
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI, Response, UploadFile
from PIL import Image

from benchmarks.peers.common import Arguments, missing, real_esrganer


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--architecture", choices=["compact", "rrdb"], required=True)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    options = Arguments(
        chosen.weights, chosen.architecture, Path(), None, None, "float32", "cpu", threads=0, tile_px=0
    )
    try:
        upsampler = real_esrganer(options)
    except ImportError as error:
        return missing(error)
    app = FastAPI()

    @app.get("/ready")
    def ready() -> bool:
        return True

    @app.post("/upscale")
    def upscale(file: UploadFile) -> Response:
        image = np.asarray(Image.open(file.file).convert("RGB"))
        result, _ = upsampler.enhance(image[:, :, ::-1])
        buffer = io.BytesIO()
        Image.fromarray(result[:, :, ::-1]).save(buffer, "PNG")
        return Response(buffer.getvalue(), media_type="image/png")

    uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
