"""`pixelmend bench`: what it measures, on devices that are there, and what it says of those that are not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pixelmend.cli.bench import Plan, Row, bench, compared, parse_sizes
from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter
from tests.cli.test_cli import pixelmend
from tests.pictures import encoded, photo


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(photo(side_px=100)))
    return path


def test_each_size_is_computed_cold_and_warm(image: Path, tmp_path: Path) -> None:
    settings = {"PIXELMEND_DATA_DIR": str(tmp_path / "data")}
    # One is cut out of the image, the other is larger than it.
    ran = pixelmend("bench", image, "--sizes", "48,112", "--repeat", "2", "--json", **settings)
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert (told["model"], told["repeats"]) == ("pixelmend-x4", 2)
    assert [row["size_px"] for row in told["rows"]] == [48, 112]
    for row in told["rows"]:
        assert (row["device"], row["error"], row["speed_up"]) == ("cpu", None, 1.0)
        assert row["name"]
        assert row["precision"]
        assert 0 < row["start_s"] < row["cold_s"]
        # The cold one is from a new process on, which takes longer than a result alone.
        assert 0 < row["warm_s"] < row["cold_s"]
        made_px = (4 * row["size_px"]) ** 2
        assert row["megapixels_per_s"] == pytest.approx(made_px / 1e6 / row["warm_s"])


@pytest.mark.full
def test_table_names_size_device_and_precision(image: Path, tmp_path: Path) -> None:
    settings = {"PIXELMEND_DATA_DIR": str(tmp_path / "data")}
    ran = pixelmend("bench", image, "--sizes", "32", "--repeat", "1", "--model", "pixelmend-x2", **settings)
    assert ran.returncode == 0, ran.stderr
    for word in ("32x32", "cpu (", "cold s", "warm s", "Mpx/s", "speed-up"):
        assert word in ran.stdout


@pytest.mark.full
def test_grey_image_with_transparency_and_16_bits_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(encoded(np.full((40, 60), 40_000, np.uint16)))
    settings = Settings(_env_file=None, device="cpu", data_dir=tmp_path / "data")
    (row,) = bench(Plan(path, (32,), (), 1), settings, Console(quiet=True))
    assert (row.size_px, row.error) == (32, None)


@pytest.mark.full
def test_what_fails_is_in_its_row_and_the_rest_is_measured(image: Path, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, device="cpu", data_dir=tmp_path, max_input_pixels=20_000, log_level="error"
    )
    rows = bench(Plan(image, (32, 400), ("cpu",), 1), settings, Console(quiet=True))
    assert rows[0].error is None
    assert rows[1].error is not None
    assert "20000" in rows[1].error.replace(",", "")
    assert rows[1].speed_up is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sizes", "64,x"], "'x' is not a number from 16 to 4096"),
        (["--sizes", "5000"], "'5000' is not a number from 16 to 4096"),
        (["--model", "nothing"], "model='nothing' is not known"),
        (["--device", "tpu"], "device='tpu'"),
        (["--repeat", "0"], "--repeat"),
    ],
)
def test_what_is_wrong_is_said_before_anything_starts(image: Path, arguments: list[str], said: str) -> None:
    ran = pixelmend("bench", image, *arguments)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "worker" not in ran.stderr


def test_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    ran = pixelmend("bench", tmp_path / "a.png")
    assert (ran.returncode, "is text that begins with" in ran.stderr) == (2, True)


@pytest.mark.full
def test_device_that_is_absent_is_named(image: Path, tmp_path: Path) -> None:
    ran = pixelmend("bench", image, "--device", "cuda:7", PIXELMEND_DATA_DIR=str(tmp_path / "data"))
    assert ran.returncode == 2
    assert "device=cuda:7" in ran.stderr


def test_sizes_are_taken_once_each() -> None:
    assert parse_sizes("256, 64,256") == (256, 64)
    with pytest.raises(InvalidParameter, match="'' is not a number"):
        parse_sizes("64,")


def test_speed_up_is_over_the_cpu_of_the_same_size() -> None:
    rows = [
        Row(64, "cuda:0", "a GPU", warm_s=0.1),
        Row(128, "cuda:0", "a GPU", error="out of memory"),
        Row(64, "cpu", "a CPU", warm_s=1.0),
    ]
    assert [row.speed_up for row in compared(rows)] == [10.0, None, 1.0]
