"""`POST /api/upscale` against the real service."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.pictures import decoded, encoded, photo, psnr_db
from tests.service import ServiceClient


def post(
    service: ServiceClient, data: bytes, headers: dict[str, str] | None = None, **fields: Any
) -> httpx.Response:
    return service.client.post(
        "/api/upscale",
        files={"file": ("photo.jpg", data)},
        data={name: str(value) for name, value in fields.items()},
        headers=headers,
    )


def ok(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    image = Image.open(io.BytesIO(response.content))
    image.load()
    return image


def upscaled(pixels: np.ndarray[Any, Any], factor: int = 4) -> np.ndarray[Any, Any]:
    size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def test_photo_comes_back_four_times_as_large_and_looks_alike(service: ServiceClient) -> None:
    source = photo()
    response = post(service, encoded(source))
    image = ok(response)
    assert response.headers["content-type"] == "image/png"
    assert image.size == (384, 384)
    assert psnr_db(np.asarray(image), upscaled(source)) > 25


def test_upscaling_recovers_more_than_bicubic_does(service: ServiceClient) -> None:
    truth = photo(side_px=256, left=150, top=0)
    small = Image.fromarray(truth).resize((64, 64), Image.Resampling.BICUBIC)
    image = ok(post(service, encoded(np.asarray(small))))
    gain_db = psnr_db(np.asarray(image), truth) - psnr_db(upscaled(np.asarray(small)), truth)
    assert gain_db > 0.8


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"scale": 2}, "pixelmend-x2"),
        ({"scale": 1.5}, "pixelmend-x2"),
        ({"scale": 2.1}, "pixelmend-x4"),
        ({"scale": 2, "denoise": 0.5}, "pixelmend-x4"),
        ({"scale": 2, "detail": 0}, "pixelmend-x4"),
        ({"scale": 2, "model": "pixelmend-x4"}, "pixelmend-x4"),
        ({"model": "pixelmend-x2"}, "pixelmend-x2"),
    ],
)
def test_twice_the_size_is_computed_by_the_model_made_for_it(
    service: ServiceClient, fields: dict[str, Any], model: str
) -> None:
    source = photo()
    response = post(service, encoded(source), **fields)
    assert response.headers["x-pixelmend-model"] == model
    factor = fields.get("scale", 2)
    assert ok(response).size == (round(96 * factor), round(96 * factor))


def test_denoise_goes_from_the_faithful_to_the_clean_model(service: ServiceClient) -> None:
    source = photo()
    noise = np.random.default_rng(0).normal(0.0, 8.0, source.shape)
    data = encoded(np.clip(source + noise, 0, 255).astype(np.uint8), "JPEG", quality=50)
    results = [np.asarray(ok(post(service, data, denoise=strength))) for strength in (0, 0.5, 1)]
    for result, name in ((results[0], "pixelmend-x4"), (results[2], "pixelmend-x4-clean")):
        assert psnr_db(result, np.asarray(ok(post(service, data, model=name)))) > 50
    apart_db = psnr_db(results[0], results[2])
    assert psnr_db(results[0], results[1]) > apart_db + 1
    assert psnr_db(results[1], results[2]) > apart_db + 1


def test_detail_goes_from_what_denoise_makes_to_the_vivid_model(service: ServiceClient) -> None:
    data = encoded(photo(), "JPEG", quality=50)
    named = {
        name: np.asarray(ok(post(service, data, model=f"pixelmend-x4{name}")))
        for name in ("", "-clean", "-vivid")
    }
    for dials, name in (
        ({"detail": 0}, ""),
        ({"detail": 1}, "-vivid"),
        ({"denoise": 1, "detail": 0}, "-clean"),
        ({"denoise": 0.5, "detail": 1}, "-vivid"),
    ):
        assert psnr_db(np.asarray(ok(post(service, data, **dials))), named[name]) > 50
    answer = post(service, data, denoise=0, detail=0.5)
    assert answer.headers["x-pixelmend-dials"] == "denoise=0, detail=0.5"
    between = np.asarray(ok(answer))
    apart_db = psnr_db(named[""], named["-vivid"])
    # Nearer to each end than they are to one another; how much nearer depends on the weights that ship.
    assert psnr_db(between, named[""]) > apart_db + 0.5
    assert psnr_db(between, named["-vivid"]) > apart_db + 0.5


def test_provenance_is_in_the_headers(service: ServiceClient) -> None:
    headers = post(service, encoded(photo()), tile=64).headers
    assert headers["x-pixelmend-model"] == "pixelmend-x4"
    assert len(headers["x-pixelmend-model-sha256"]) == 64
    assert headers["x-pixelmend-device"].startswith("cpu; ")
    assert headers["x-pixelmend-precision"] in ("bfloat16", "float32")
    assert headers["x-pixelmend-size"] == "384x384"
    tiles, px = headers["x-pixelmend-tiles"].split("; px=")
    assert int(tiles) > 1
    assert all(0 < int(edge) <= 64 for edge in px.split("x"))
    assert float(headers["x-pixelmend-seconds"]) > 0
    assert {part.split(";")[0] for part in headers["server-timing"].split(", ")} == {
        "decode",
        "device",
        "encode",
    }
    assert "photo-x4.png" in headers["content-disposition"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "x-pixelmend-not-kept" not in headers
    assert "x-pixelmend-dials" not in headers


def test_tile_size_changes_nothing_but_the_rounding_of_winograds_convolution(service: ServiceClient) -> None:
    """Only float32 on a CPU is computed that way, and by blocks that lie otherwise in a tile (ADR 0029)."""
    source = encoded(photo(side_px=150))
    answer = post(service, source)
    whole = np.asarray(ok(answer)).astype(int)
    tiled = np.asarray(ok(post(service, source, tile=64))).astype(int)
    is_exact = answer.headers["x-pixelmend-precision"] == "bfloat16"
    assert np.abs(whole - tiled).max() <= (0 if is_exact else 1)
    assert np.count_nonzero(whole != tiled) <= (0 if is_exact else whole.size / 10_000)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"scale": 1}, (96, 64)),
        ({"scale": 2.5}, (240, 160)),
        ({"scale": 8}, (768, 512)),
        ({"width": 333}, (333, 222)),
        ({"height": 333}, (500, 333)),
        ({"width": 200, "height": 250}, (200, 250)),
        ({"scale": "", "width": 200}, (200, 133)),
    ],
)
def test_any_factor_or_exact_size(
    service: ServiceClient, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    source = photo()[:64]
    image = ok(post(service, encoded(source), **fields))
    assert image.size == size
    expected = np.asarray(Image.fromarray(source).resize(size, Image.Resampling.LANCZOS))
    assert psnr_db(np.asarray(image), expected) > 22


@pytest.mark.parametrize(
    ("output_format", "pillow_name", "min_psnr_db"),
    [
        ("png", "PNG", 99),
        ("jpeg", "JPEG", 30),
        ("webp", "WEBP", 30),
        ("avif", "AVIF", 30),
        ("tiff", "TIFF", 99),
    ],
)
def test_every_output_format(
    service: ServiceClient, output_format: str, pillow_name: str, min_psnr_db: float
) -> None:
    data = encoded(photo())
    exact = np.asarray(ok(post(service, data)))
    response = post(service, data, format=output_format)
    image = ok(response)
    assert image.format == pillow_name
    assert response.headers["content-type"] == f"image/{output_format}"
    assert psnr_db(np.asarray(image), exact) > min_psnr_db


def test_quality_changes_the_size_of_the_file(service: ServiceClient) -> None:
    data = encoded(photo())
    small = post(service, data, format="jpeg", quality=30)
    large = post(service, data, format="jpeg", quality=95)
    assert len(ok(small).tobytes()) == len(ok(large).tobytes())
    assert len(small.content) < 0.6 * len(large.content)


def test_accept_header_chooses_the_format(service: ServiceClient) -> None:
    response = post(service, encoded(photo()), headers={"Accept": "image/webp;q=0.9, image/jpeg;q=0.5"})
    assert ok(response).format == "WEBP"


def test_colour_profile_exif_and_resolution_are_kept(service: ServiceClient) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = 6
    data = encoded(photo()[:64], "JPEG", icc_profile=profile, exif=exif.tobytes(), dpi=(300, 300), quality=95)
    response = post(service, data)
    image = ok(response)
    assert image.size == (256, 384)  # turned upright
    assert image.info["icc_profile"] == profile
    assert image.getexif()[0x010F] == "Maker"
    assert image.getexif().get(0x0112, 1) == 1
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_orientation_is_applied_to_the_pixels(service: ServiceClient) -> None:
    source = photo()
    exif = Image.Exif()
    exif[0x0112] = 8
    turned = np.asarray(ok(post(service, encoded(source, "PNG", exif=exif.tobytes()))))
    plain = np.asarray(ok(post(service, encoded(np.rot90(source).copy()))))
    assert np.array_equal(turned, plain)


def test_grey_stays_grey(service: ServiceClient) -> None:
    image = ok(post(service, encoded(photo()[:, :, 1])))
    assert image.mode == "L"
    assert psnr_db(np.asarray(image), upscaled(photo()[:, :, 1])) > 25


def test_sixteen_bits_stay_sixteen_and_are_computed_in_float32(service: ServiceClient) -> None:
    ramp = np.add.outer(np.arange(96), np.arange(96)).astype(np.uint16) * 20 + 30_000
    response = post(service, encoded(ramp))
    values = decoded(response.content)
    assert response.headers["x-pixelmend-precision"] == "float32"
    assert values.dtype == np.uint16 or values.dtype == np.int32
    inner = values[40:-40, 40:-40].astype(np.int64)
    # An eighth of the values that 8 bits would leave are a few dozen; a smooth ramp has many more.
    assert len(np.unique(inner)) > 1000


def disc_with_black_surroundings() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A white disc, opaque inside; what is transparent is black, as most editors store it."""
    y, x = np.mgrid[0:96, 0:96]
    inside = (x - 48) ** 2 + (y - 48) ** 2 < 30**2
    pixels = np.zeros((96, 96, 4), np.uint8)
    pixels[inside] = 255
    return pixels


def test_transparent_surroundings_leave_no_dark_fringe(service: ServiceClient) -> None:
    result = np.asarray(ok(post(service, encoded(disc_with_black_surroundings()))))
    assert result.shape == (384, 384, 4)
    visible = result[:, :, 3] > 8
    assert result[:, :, :3][visible].min() > 235
    assert (result[160:224, 160:224, 3] == 255).all()
    assert (result[:40, :40, 3] == 0).all()


def test_opaque_alpha_stays_exactly_opaque(service: ServiceClient) -> None:
    pixels = np.dstack([photo(), np.full((96, 96), 255, np.uint8)])
    result = np.asarray(ok(post(service, encoded(pixels))))
    assert (result[:, :, 3] == 255).all()
    plain = np.asarray(ok(post(service, encoded(photo()))))
    assert np.array_equal(result[:, :, :3], plain)


def test_what_is_lost_is_named(service: ServiceClient) -> None:
    response = post(service, encoded(disc_with_black_surroundings()), format="jpeg")
    assert "alpha" in response.headers["x-pixelmend-not-kept"]
    cmyk = Image.fromarray(photo()).convert("CMYK")
    buffer = io.BytesIO()
    cmyk.save(buffer, "JPEG")
    assert "cmyk-converted" in post(service, buffer.getvalue()).headers["x-pixelmend-not-kept"]


def test_animation_is_refused_unless_the_first_frame_is_asked_for(service: ServiceClient) -> None:
    frames = [Image.fromarray(photo(left=left)) for left in (100, 150, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    refused = post(service, buffer.getvalue())
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:pixelmend:problem:too-many-frames")
    taken = post(service, buffer.getvalue(), first_frame="true")
    assert ok(taken).size == (384, 384)
    assert "first-frame" in taken.headers["x-pixelmend-not-kept"]


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 0, 0), (200, 40, 30)])
def test_flat_picture_stays_flat_up_to_its_edges(
    service: ServiceClient, colour: tuple[int, int, int]
) -> None:
    flat = np.full((40, 50, 3), colour, np.uint8)
    result = np.asarray(ok(post(service, encoded(flat)))).astype(int)
    assert np.abs(result - np.array(colour)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (37, 2), (255, 3)])
def test_tiny_and_thin_images(service: ServiceClient, size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 77, np.uint8)
    assert ok(post(service, encoded(pixels))).size == (size[0] * 4, size[1] * 4)


def test_nothing_stays_in_the_spool(service: ServiceClient) -> None:
    ok(post(service, encoded(photo())))
    assert post(service, b"no image").status_code == 415
    service.wait_until_spool_is_empty()


@pytest.mark.parametrize(
    ("width", "height", "part"), [(256, 256, (16, 80, 0, 64)), (384, 192, (0, 96, 8, 56))]
)
def test_what_covers_a_size_is_cut_off_evenly(
    service: ServiceClient, width: int, height: int, part: tuple[int, int, int, int]
) -> None:
    source = photo()[:64]
    left, right, top, bottom = part
    cut = np.asarray(ok(post(service, encoded(source), width=width, height=height, fit="cover")))
    alone = post(service, encoded(source[top:bottom, left:right]), width=width, height=height)
    assert np.array_equal(cut, np.asarray(ok(alone)))
    stretched = np.asarray(ok(post(service, encoded(source), width=width, height=height)))
    assert stretched.shape == cut.shape == (height, width, 3)
    assert not np.array_equal(cut, stretched)


@pytest.mark.parametrize("fields", [{}, {"width": 200}, {"scale": 2}])
def test_covering_needs_an_exact_size(service: ServiceClient, fields: dict[str, Any]) -> None:
    answer = post(service, encoded(photo()), fit="cover", **fields)
    assert (answer.status_code, "fit=cover" in answer.json()["detail"]) == (422, True)
    assert "fit='contain'" in post(service, encoded(photo()), fit="contain").json()["detail"]
