"""A Pixelmend service, used from a program: `Client` blocks, `AsyncClient` has the same methods to await.

    with Client("http://localhost:8000", key=None) as client:
        client.run("upscale", "photo.jpg", "large.png", scale=2)

| method | what it does |
|---|---|
| `run(task, file, out, *, mask, on_progress, **fields)` | all in one: upload, wait, download; a `Result` |
| `upload(task, file, *, mask, **fields)` | submit one image or film; its `Job` |
| `batch(task, files, *, masks, **fields)` | submit many images as one job, whose result is a ZIP |
| `wait(job, *, on_progress)` | until it is done; raises what it failed with |
| `download(job, out)` | its file, resumed where it broke off and checked by its sha256; a `Result` |
| `cancel(job)`, `job(id)`, `jobs()` | as they say |
| `estimate(width, height, **fields)` | what an image of that size would need; an `Estimate` |
| `info()`, `models()`, `check_key()` | what the service is and has, and whether it takes the key |

A task is a name of `info().tasks`: "upscale", "inpaint", "upscale-video". A file is a path or the bytes
themselves. Fields are those of the task's form. Failures are PixelmendErrors by their code
(`pixelmend.core.errors`). What breaks on the way is tried again, for about two minutes without any progress;
a busy service is waited for. To send the same again costs the service nothing.
"""

from pixelmend.client.asynchronous import AsyncClient, OnProgress
from pixelmend.client.blocking import Client
from pixelmend.client.uploads import File
from pixelmend.client.values import (
    Estimate,
    Info,
    Item,
    Job,
    JobResult,
    Model,
    Problem,
    Progress,
    Recipe,
    Result,
)

__all__ = [
    "AsyncClient",
    "Client",
    "Estimate",
    "File",
    "Info",
    "Item",
    "Job",
    "JobResult",
    "Model",
    "OnProgress",
    "Problem",
    "Progress",
    "Recipe",
    "Result",
]
