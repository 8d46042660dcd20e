"""The command line and what it writes; no time is asserted."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.cases.registry import cpu_cases, gpu_cases
from benchmarks.machine import ROOT, describe_machine
from benchmarks.report import Row, at_least, at_most, print_rows, row_as_json, without_paths, write_results

pytestmark = pytest.mark.full


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_case_is_refused_with_the_ones_there_are() -> None:
    done = bench("cpu", "nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "png" in done.stderr


def test_without_a_gpu_it_says_so_and_ends_with_2() -> None:
    done = bench("gpu")
    assert done.returncode == 2
    assert "no CUDA device" in done.stderr


def test_case_names_are_file_names_and_differ() -> None:
    names = [case.name for case in (*cpu_cases(), *gpu_cases())]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("r", 12.0, target=at_least(12)), True),
        (Row("r", 11.9, target=at_least(12)), False),
        (Row("r", 3.0, target=at_most(3)), True),
        (Row("r", 3.1, target=at_most(3)), False),
        (Row("r", 3.1), None),
        (Row("r", None, target=at_most(3)), None),
    ],
)
def test_a_target_is_met_or_not(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_results_hold_no_path_and_neither_host_nor_user(tmp_path: Path) -> None:
    row = Row("row", 12.3456789, target=at_least(12), note=f"see {tmp_path}/log", details={"at": str(ROOT)})
    write_results(tmp_path, "name", describe_machine(), [row], quick=True, seconds=1.23)
    text = (tmp_path / "name.json").read_text()
    for private in (str(tmp_path), str(ROOT), str(Path.home()), os.uname().nodename):
        assert private not in text
    result = json.loads(text)
    assert result["rows"][0] | {"note": "", "details": {}} == {
        "name": "row",
        "target": ">= 12x",
        "measured": 12.35,
        "unit": "x",
        "met": True,
        "note": "",
        "details": {},
    }
    assert {"cpu", "physical_cores", "flags", "torch", "commit"} <= result["machine"].keys()


def test_paths_are_cut_and_ratios_and_addresses_are_not() -> None:
    assert without_paths("at /home/x/y.pth: 3/4 of 12 MB/s") == "at .../y.pth: 3/4 of 12 MB/s"
    assert without_paths("http://127.0.0.1:8000/api/upscale") == "http://127.0.0.1:8000/api/upscale"


def test_a_row_without_a_value_is_printed_with_its_reason() -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    print_rows(console, "title", [Row("row", None, note="[not] installed"), Row("other", 2.0)])
    text = console.export_text()
    assert "[not] installed" in text
    assert "2x" in text
    assert row_as_json(Row("row", None))["met"] is None
