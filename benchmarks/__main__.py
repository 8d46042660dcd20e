"""`python -m benchmarks cpu` and `python -m benchmarks gpu`: run cases, print tables, keep results."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.cases.registry import cpu_cases, gpu_cases
from benchmarks.context import Case, Context
from benchmarks.machine import ROOT, Machine, describe_machine
from benchmarks.report import Row, print_rows, write_results

EXIT_NO_GPU = 2

ALL = "all"

QuickOption = Annotated[bool, typer.Option(help="Fewer repeats: that it works, not how fast it is.")]
ResultsOption = Annotated[Path, typer.Option(help="Folder for the JSON files.")]


def cpu(
    cases: Annotated[
        list[str] | None, typer.Argument(help="Names, or all; default: those that end soon.")
    ] = None,
    quick: QuickOption = False,
    results: ResultsOption = ROOT / "benchmarks" / "results",
) -> None:
    """Measure on the CPU, side by side with the peers of .venv-reference."""
    _run_cases(_selected(cpu_cases(), cases), describe_machine(), results, quick=quick)


def gpu(
    cases: Annotated[list[str] | None, typer.Argument(help="Cases to run; all where none is named.")] = None,
    quick: QuickOption = False,
    results: ResultsOption = ROOT / "benchmarks" / "results",
) -> None:
    """Measure on an NVIDIA GPU, with whatever this Python has."""
    selected = _selected(gpu_cases(), cases)
    name = gpu_name()
    if name is None:
        typer.echo(
            "there is no CUDA device that this Python's PyTorch can use; nothing was measured", err=True
        )
        raise typer.Exit(EXIT_NO_GPU)
    _run_cases(selected, describe_machine(name), results, quick=quick)


def gpu_name() -> str | None:
    """What the first GPU is called; None if there is none, or no PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def _selected(cases: Sequence[Case], names: list[str] | None) -> list[Case]:
    if not names:
        return [case for case in cases if case.is_usual]
    if names == [ALL]:
        return list(cases)
    known = {case.name: case for case in cases}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"there is no case {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def _run_cases(cases: Sequence[Case], machine: Machine, results: Path, *, quick: bool) -> None:
    """One after another. A case that fails does not stop the others; the exit status is then 1."""
    console = Console(width=None if Console().is_terminal else 150, highlight=False)
    console.print(f"{machine.cpu}, {machine.physical_cores} cores, {' '.join(machine.flags)}", markup=False)
    if machine.gpu:
        console.print(machine.gpu, markup=False)
    console.print(f"torch {machine.torch}, commit {machine.commit}, load {machine.load_average}")
    failed = []
    missed: list[Row] = []
    began_s = time.monotonic()
    for case in cases:
        case_began_s = time.monotonic()
        now = replace(machine, load_average=describe_machine().load_average)
        with tempfile.TemporaryDirectory(prefix="pixelmend-bench-") as folder:
            context = Context(now, Path(folder), quick, lambda line: console.print(f"  {line}", markup=False))
            console.print(f"{case.name}: {case.title}", style="dim")
            try:
                rows = case.run(context)
            except Exception as error:  # whatever a peer or the service may do, the other cases still run
                failed.append(case.name)
                rows = [Row(case.title, None, note=f"FAILED: {type(error).__name__}: {error}"[:800])]
        seconds = time.monotonic() - case_began_s
        print_rows(console, f"{case.name} ({seconds:.0f} s)", rows)
        write_results(results, case.name, now, rows, quick=quick, seconds=seconds)
        missed += [row for row in rows if row.met is False]
    console.print(f"{len(cases)} cases in {time.monotonic() - began_s:.0f} s; {len(missed)} targets missed")
    if failed:
        console.print(f"could not be measured: {', '.join(failed)}", markup=False)
        raise typer.Exit(1)


def main() -> None:
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
    app.command()(cpu)
    app.command()(gpu)
    app()


if __name__ == "__main__":
    main()
