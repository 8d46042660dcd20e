"""Films over HTTP, against the real service with a real network."""

import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from av.container import InputContainer

from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.steps import upscale_video
from pixelmend.engine.steps.plan import lease_model
from pixelmend.engine.steps.work import Work
from tests.api.test_metrics import counts
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.receiver import HOST, putting
from tests.service import ServiceClient
from tests.video.clips import Clip, constant_rate, make
from tests.web_server import web_server

FIELDS = {"task": "upscale-video", "scale": "2"}


def post(service: ServiceClient, data: bytes, **fields: Any) -> httpx.Response:
    return service.client.post(
        "/api/jobs", data={**FIELDS, **fields}, files={"file": ("film.mp4", data, "video/mp4")}
    )


def film(folder: Path, clip: Clip, name: str = "film.mp4") -> bytes:
    return make(folder / name, clip).read_bytes()


def opened(data: bytes) -> InputContainer:
    container = av.open(io.BytesIO(data))
    assert isinstance(container, InputContainer)
    return container


def done(service: ServiceClient, data: bytes, **fields: Any) -> tuple[dict[str, Any], httpx.Response]:
    response = post(service, data, **fields)
    assert response.status_code == 202, response.text
    job = service.ended_job(response.json()["id"])
    assert job["state"] == "done", job
    return job, service.client.get(job["result"]["url"])


def test_a_film_comes_back_twice_as_large_with_its_times_and_its_sound(
    service: ServiceClient, tmp_path: Path
) -> None:
    clip = Clip([0, 40, 100, 130, 300], audio=(("aac", "deu"),))
    data = film(tmp_path, clip)
    job, result = done(service, data)
    assert (job["result"]["width"], job["result"]["height"]) == (192, 128)
    assert job["result"]["media_type"] == "video/mp4"
    assert job["progress"]["total_tiles"] > 0
    assert "film-x2.mp4" in result.headers["content-disposition"]
    assert result.headers["x-pixelmend-frames"].startswith("5; ")
    with opened(data) as old, opened(result.content) as new:
        times = [[frame.time for frame in each.decode(video=0)] for each in (old, new)]
        assert times[0] == times[1]
    with opened(data) as old, opened(result.content) as new:
        sounds = [[bytes(packet) for packet in each.demux(audio=0)] for each in (old, new)]
        assert sounds[0] == sounds[1]
        assert new.streams.audio[0].language == "deu"


def test_how_a_film_was_encoded_is_told_and_is_no_fall_back(service: ServiceClient, tmp_path: Path) -> None:
    fallbacks = ("pixelmend_fallbacks_total", ())
    before = counts(service)[fallbacks]
    _, response = done(service, film(tmp_path, Clip(constant_rate(3))), format="mkv")
    assert response.headers["x-pixelmend-notes"].startswith("encoded by ")
    assert counts(service)[fallbacks] == before


@pytest.mark.full
def test_a_film_is_sent_away_like_any_result(tmp_path: Path) -> None:
    data = film(tmp_path, Clip(constant_rate(4)))
    with (
        web_server(lambda _: (200, {}, b"")) as server,
        service_in_threads(tmp_path, None, None, None, None, putting()) as own,
    ):
        job, result = done(own, data, result_url=f"http://{HOST}:{server.port}/film?sig=hidden")
        deadline_s = time.monotonic() + 60
        while own.job(job["id"])["delivery"]["state"] != "delivered":
            assert time.monotonic() < deadline_s, own.log_excerpt
            time.sleep(0.05)
    (asked,) = server.asked
    assert (asked.method, asked.headers["content-type"], asked.body) == ("PUT", "video/mp4", result.content)


def test_a_part_can_be_tried(service: ServiceClient, tmp_path: Path) -> None:
    data = film(tmp_path, Clip(constant_rate(20), audio=(("aac", "deu"),)))
    _, result = done(service, data, start="0.2", seconds="0.2")
    with opened(result.content) as new:
        frames = [round(frame.time or 0.0, 3) for frame in new.decode(video=0)]
    assert np.allclose(frames, [0.0, 0.04, 0.08, 0.12, 0.16])
    with opened(result.content) as new:
        packets = [packet for packet in new.demux(audio=0) if packet.size]
        sound = [float((packet.pts or 0) * packet.time_base) for packet in packets]
    assert 0 <= sound[0] < 0.03
    assert sound[-1] < 0.2


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"codec": "divx"}, 422, "codec='divx' is not known; there are: h264"),
        ({"format": "avi"}, 422, "format='avi' is not known; there are: mp4"),
        ({"codec": "prores", "format": "mp4"}, 422, "codec=prores does not go into format=mp4"),
        ({"encoder": "fast"}, 422, "encoder='fast'"),
        ({"start": "-1"}, 422, "start='-1'"),
        ({"scale": "9"}, 422, "scale='9'"),
        ({"colour": "1"}, 422, "there is no field 'colour'"),
        ({"model": "nothing"}, 404, "nothing"),
    ],
)
def test_what_is_asked_for_wrongly_is_named(
    service: ServiceClient, tmp_path: Path, fields: dict[str, str], status: int, words: str
) -> None:
    response = post(service, film(tmp_path, Clip(constant_rate(2))), **fields)
    assert response.status_code == status, response.text
    assert words in response.json()["detail"]


def test_what_is_no_film_is_refused_before_it_is_queued(service: ServiceClient, tmp_path: Path) -> None:
    whole = film(tmp_path, Clip(constant_rate(30)))
    image = encoded(photo("coffee", side_px=64, left=0, top=0))
    sound = io.BytesIO()
    with av.open(sound, "w", format="wav") as container:
        container.add_stream("pcm_s16le", rate=8000)
        container.start_encoding()
    for data, status, words in (
        (b"", 422, "empty"),
        (b"no film at all" * 100, 415, "no film that can be read: it is text that begins with 'no"),
        (image, 415, "has one frame and is no film: images are for the task upscale"),
        (encoded(photo(side_px=64), "JPEG"), 415, "an image (jpeg), and images are for the task upscale"),
        (encoded(photo(side_px=64), "AVIF"), 415, "has one frame and is no film"),
        (b"%PDF-1.4" + bytes(1000), 415, "it is a PDF file"),
        (whole[:400], 415, "no film that can be read: Invalid data"),
        (sound.getvalue() + bytes(1000), 415, "it is a sound file (WAV)"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", 415, "it is text that begins with '#EXTM3U'"),
    ):
        response = post(service, data)
        assert response.status_code == status, (response.text, data[:20])
        assert words in response.json()["detail"]


def test_the_image_routes_refuse_a_film(service: ServiceClient, tmp_path: Path) -> None:
    data = film(tmp_path, Clip(constant_rate(2)))
    response = service.client.post("/api/upscale", files={"file": data})
    assert response.status_code == 415
    assert "a film (MP4); films are for the task upscale-video" in response.json()["detail"]
    assert service.client.post("/api/upscale-video", files={"file": data}).status_code in (404, 405)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    with service_in_threads(
        tmp_path_factory.mktemp("narrow"),
        max_upload_bytes=20_000,
        max_video_bytes=200_000,
        max_video_frames=5,
        max_video_s=1,
        max_input_pixels=10_000,
    ) as client:
        yield client


def test_films_have_limits_of_their_own(narrow: ServiceClient, tmp_path: Path) -> None:
    long = film(tmp_path, Clip(constant_rate(6)))
    slow = film(tmp_path, Clip([0, 900, 1800]), "slow.mp4")
    for data, words in ((long, "6 frames exceed max_video_frames=5"), (slow, "exceed max_video_s=1")):
        response = post(narrow, data)
        assert response.status_code == 422, response.text
        assert words in response.json()["detail"]
    padded = film(tmp_path, Clip(constant_rate(2))) + b"\0\0\x80\0free" + bytes(32_760)
    assert len(padded) > 20_000
    assert post(narrow, padded).status_code == 202
    # A form that names the task after the file is one of an image until then.
    late = narrow.client.post(
        "/api/jobs", files=[("file", ("film.mp4", padded)), ("task", (None, b"upscale-video"))]
    )
    assert late.status_code == 413
    assert "send the field task first" in late.json()["detail"]
    assert post(narrow, bytes(300_000)).status_code == 413


def test_a_film_that_is_cancelled_while_its_model_opens_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, cancelled = threading.Event(), threading.Event()

    def lease_late(work: Work, cache: ModelCache, *, sixteen_bit: bool) -> OpenModel:
        model = lease_model(work, cache, sixteen_bit=sixteen_bit)
        opened.set()
        assert cancelled.wait(30)
        return model

    monkeypatch.setattr(upscale_video, "lease_model", lease_late)
    with service_in_threads(tmp_path) as own:
        job = post(own, film(tmp_path, Clip(constant_rate(6)))).json()
        assert opened.wait(30)
        assert own.client.delete(f"/api/jobs/{job['id']}").json()["state"] == "cancelled"
        assert own.spooled_files() == []
        cancelled.set()
        own.wait_until_logged('"job failed"')
        own.wait_until_spool_is_empty(timeout_s=5)


def test_finished_segments_can_be_watched_while_the_rest_is_computed(
    service: ServiceClient, tmp_path: Path
) -> None:
    still = [number * 2500 for number in range(9)]  # key frames are 5 s apart
    clip = Clip(still, Fraction(1, 1000), options={"g": "2", "bf": "0"})
    job = post(service, film(tmp_path, clip)).json()
    seen = ""
    while not seen.count("#EXTINF"):
        answer = service.client.get(f"/api/jobs/{job['id']}/playlist.m3u8")
        seen = answer.text if answer.status_code == 200 else ""
        time.sleep(0.01)
        if service.client.get(f"/api/jobs/{job['id']}").json()["state"] not in ("queued", "running"):
            break
    ended = service.ended_job(job["id"])
    assert ended["state"] == "done", ended
    assert "#EXTINF:5.000000,\nsegments/0.mp4" in seen
    after = service.client.get(f"/api/jobs/{job['id']}/playlist.m3u8")
    assert (after.status_code, after.json()["type"]) == (409, "urn:pixelmend:problem:job-state")
    assert service.client.get("/api/jobs/none/playlist.m3u8").status_code == 404
