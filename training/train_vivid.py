"""Train the vivid network: ``python -m training.train_vivid CACHE --start FAITHFUL --minutes 60 --out RUN``.

``CACHE`` is what ``training.targets`` made. With ``--faithful`` and ``--clean``, a share of the
steps trains what lies between those networks and this one.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from pixelmend.engine.weights.compact import config_of
from training.ahead import ahead
from training.mixtures import Family
from training.optim import OptimConfig
from training.targets import Targets, cut_targets, open_targets
from training.train import Budget, Reporting
from training.trainer import TrainConfig
from training.vivid import VividConfig, VividTrainer

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cutting:
    """How batches are cut from the targets: how many patches of which side, and by how many threads."""

    batch: int
    patch: int
    cutters: int = 1


def run(
    trainer: VividTrainer, targets: Targets, cutting: Cutting, budget: Budget, reporting: Reporting
) -> Path:
    """Train until the budget is spent; returns the last checkpoint's path.

    What a step sees depends on the seed, the step and the cache alone.
    """
    reporting.out.mkdir(parents=True, exist_ok=True)
    checkpoint = reporting.out / "last.pt"
    works = cuts(trainer.config.seed, trainer.step, targets, cutting)
    began = time.monotonic() - trainer.elapsed
    sums: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(cutting.cutters) as cutters:
        batches = ahead(works, cutters, 2 * cutting.cutters)
        while (progress := budget.progress(trainer.step, trainer.elapsed)) < 1.0:
            trainer.train_step(*next(batches), progress)
            trainer.elapsed = time.monotonic() - began
            sums.update(trainer.parts)
            counts.update(trainer.parts.keys())
            if trainer.step % reporting.report == 0:
                means = " ".join(f"{name} {total / counts[name]:.5f}" for name, total in sums.items())
                rate = trainer.step / trainer.elapsed
                print(f"step {trainer.step} {means} {rate:.2f} steps/s {progress:.1%}", flush=True)
                sums.clear()
                counts.clear()
            if trainer.step % reporting.save == 0:
                trainer.save(checkpoint)
    trainer.save(checkpoint)
    return checkpoint


def cuts(
    seed: int, first_step: int, targets: Targets, cutting: Cutting
) -> Iterator[Callable[[], tuple[Bytes, Bytes]]]:
    """What makes each step's batch, in the order of steps."""
    for step in count(first_step):
        rng = np.random.default_rng((seed, step))
        yield partial(cut_targets, rng, targets, cutting.batch, cutting.patch)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    usual = VividConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--start", type=Path, required=True, help="safetensors file of a Compact network")
    parser.add_argument("--faithful", type=Path, help="the end of both dials at 0")
    parser.add_argument("--clean", type=Path, help="the end of denoise")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int)
    length.add_argument("--minutes", type=float)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument("--compile", action="store_true", help="faster steps; needs a C++ compiler")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--patch", type=int, default=48, help="side of a low patch, a multiple of 4")
    parser.add_argument("--cutters", type=int, default=1, help="threads that cut batches; more on a GPU")
    parser.add_argument("--adam-rate", type=float, default=2e-4)
    parser.add_argument("--muon-rate", type=float, default=0.004)
    parser.add_argument("--warm-up", type=int, default=TrainConfig().warm_up, help="steps")
    parser.add_argument("--averaging", type=float, default=TrainConfig().averaging)
    parser.add_argument("--report", type=int, default=Reporting(Path()).report, help="every so many steps")
    parser.add_argument("--save", type=int, default=Reporting(Path()).save, help="every so many steps")
    for name in ("slope", "spectrum", "energy", "comb", "tone", "likeness", "adversarial"):
        parser.add_argument(f"--{name}", type=float, default=getattr(usual, name), help="weight of this loss")
    parser.add_argument("--alone", type=float, default=usual.alone, help="share of the run without the judge")
    parser.add_argument("--judge-features", type=int, default=usual.judge_features)
    parser.add_argument("--judge-rate", type=float, default=usual.judge_rate)
    parser.add_argument(
        "--mixed", type=float, default=usual.mixed, help="share of the steps between the ends"
    )
    options = parser.parse_args(arguments)
    if (options.faithful is None) != (options.clean is None):
        parser.error("--faithful and --clean belong together")
    start = load_file(options.start)
    network = config_of(start)
    cache, targets = open_targets(options.cache)
    if network is None or network.scale != cache.scale:
        parser.error(f"{options.start} is no Compact network of scale {cache.scale}")
    config = TrainConfig(
        seed=options.seed,
        variant="vivid",
        network=network,
        optim=OptimConfig(options.adam_rate, options.muon_rate),
        warm_up=options.warm_up,
        averaging=options.averaging,
    )
    vivid = VividConfig(
        slope=options.slope,
        spectrum=options.spectrum,
        energy=options.energy,
        comb=options.comb,
        tone=options.tone,
        likeness=options.likeness,
        adversarial=options.adversarial,
        alone=options.alone,
        judge_features=options.judge_features,
        judge_rate=options.judge_rate,
        mixed=options.mixed,
    )
    device = torch.device(options.device)
    family = None
    if options.faithful is not None:
        family = Family(load_file(options.faithful), load_file(options.clean), device)
    trainer = VividTrainer(config, vivid, device, start, family=family, compiled=options.compile)
    if options.resume:
        trainer.load(options.out / "last.pt")
    reporting = replace(Reporting(options.out), report=options.report, save=options.save)
    print(f"{len(targets.lows)} patches", flush=True)
    cutting = Cutting(options.batch, options.patch, options.cutters)
    run(trainer, targets, cutting, Budget(options.steps, options.minutes), reporting)


if __name__ == "__main__":
    main()
