"""Train a network: ``python -m training.train --minutes 60 --out runs/x4`` (``--steps`` to be repeatable)."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from pixelmend.engine.weights.compact import NetworkConfig
from training.clean import CleanTrainer
from training.curves import PICTURE, Moment, draw_curves, note, read_history
from training.data import DataConfig, PatchStream
from training.deeper import DeeperConfig
from training.degrade import DegradeConfig
from training.judge import WATCHED_NOISE, judge, mean_gain
from training.leaves import PLAIN, LeafConfig
from training.networks import Config
from training.optim import OptimConfig
from training.photographs import read_manifest
from training.span import SpanConfig
from training.trainer import TrainConfig, Trainer


@dataclass(frozen=True, slots=True)
class Budget:
    """When a run ends: after ``steps``, or after ``minutes`` of training once the pool is full."""

    steps: int | None
    minutes: float | None

    def progress(self, step: int, elapsed: float) -> float:
        """How much of the run is done, from 0 to 1; ``elapsed`` is in seconds."""
        if self.steps is not None:
            return step / self.steps
        assert self.minutes is not None
        return elapsed / (60.0 * self.minutes)


@dataclass(frozen=True, slots=True)
class Reporting:
    """Where a run writes, and every how many steps it prints, judges and saves."""

    out: Path
    report: int = 100
    judge: int = 1000
    save: int = 500


def run(trainer: Trainer, data: DataConfig, budget: Budget, reporting: Reporting) -> Path:
    """Train until the budget is spent; returns the last checkpoint's path."""
    reporting.out.mkdir(parents=True, exist_ok=True)
    checkpoint = reporting.out / "last.pt"
    with PatchStream(trainer.config.seed, data, trainer.step) as stream:
        low, high = stream.batch()
        began = time.monotonic() - trainer.elapsed
        # On the device: to read a loss waits for its step, and a GPU is to be given the next one meanwhile.
        losses = torch.zeros((), device=trainer.device)
        mean = 0.0
        while (progress := budget.progress(trainer.step, trainer.elapsed)) < 1.0:
            losses += trainer.train_step(low, high, progress)
            trainer.elapsed = time.monotonic() - began
            if trainer.step % reporting.report == 0:
                mean = float(losses) / reporting.report
                rate = trainer.step / trainer.elapsed
                done = budget.progress(trainer.step, trainer.elapsed)
                left = trainer.elapsed / 60.0 * max(1.0 / done - 1.0, 0.0)
                line = f"step {trainer.step} loss {mean:.5f} {rate:.2f} steps/s {done:.1%}"
                print(f"{line}, {left:.0f} min left", flush=True)
                losses.zero_()
            if trainer.step % reporting.judge == 0:
                noise = WATCHED_NOISE if trainer.config.variant == "clean" else None
                gain = mean_gain(judge(trainer.averaged(), precision=trainer.dtype, noise=noise))
                print(f"  gain Y {gain.y:+.3f} Cb {gain.cb:+.3f} Cr {gain.cr:+.3f} dB", flush=True)
                note(reporting.out, Moment(trainer.step, mean, gain.y, gain.cb, gain.cr))
                draw_curves(read_history(reporting.out)).save(reporting.out / PICTURE)
            if trainer.step % reporting.save == 0:
                trainer.save(checkpoint)
            low, high = stream.batch()
    trainer.save(checkpoint)
    return checkpoint


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--steps", type=int)
    length.add_argument("--minutes", type=float)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", choices=("faithful", "clean"), default="faithful")
    parser.add_argument("--scale", type=int, default=NetworkConfig().scale)
    parser.add_argument("--start", type=Path, help="safetensors file of a trained network to start from")
    parser.add_argument("--faithful", type=Path, help="with --variant clean: the other end of denoise")
    parser.add_argument("--mixed", type=float, default=0.3, help="share of the steps between the ends then")
    parser.add_argument("--plain", action="store_true", help="no drawn textures, as pixelmend-x4 had")
    parser.add_argument("--photographs", type=Path, help="folder with a MANIFEST.csv to train on as well")
    parser.add_argument(
        "--drawn", type=float, default=DataConfig().drawn, help="share of drawn pictures then"
    )
    parser.add_argument("--pairs", type=Path, help="folder that training.ensemble filled, to train on alone")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument("--compile", action="store_true", help="faster steps; needs a C++ compiler")
    parser.add_argument("--batch", type=int, default=DataConfig().batch)
    parser.add_argument("--patch", type=int, default=DataConfig().patch)
    parser.add_argument("--pool", type=int, default=DataConfig().pool)
    parser.add_argument(
        "--candidates",
        type=int,
        default=DataConfig().candidates,
        help="a patch is the most detailed of so many",
    )
    parser.add_argument("--refresh", type=int, default=DataConfig().refresh)
    parser.add_argument("--workers", type=int, default=DataConfig().workers, help="that draw; more on a GPU")
    parser.add_argument(
        "--cutters", type=int, default=DataConfig().cutters, help="threads that cut batches; more on a GPU"
    )
    parser.add_argument("--shape", choices=("compact", "span", "deeper"), default="compact")
    parser.add_argument(
        "--features", type=int, help="channels of the hidden layers; the shape's own by default"
    )
    parser.add_argument(
        "--hidden", type=int, default=NetworkConfig().hidden, help="of --shape compact and deeper"
    )
    parser.add_argument("--adam-rate", type=float, default=OptimConfig().adam_rate)
    parser.add_argument("--muon-rate", type=float, default=OptimConfig().muon_rate)
    parser.add_argument("--chroma", type=float, default=TrainConfig().chroma)
    parser.add_argument("--softening", type=float, default=TrainConfig().softening)
    parser.add_argument(
        "--margin", type=int, default=TrainConfig().margin, help="pixels around a low patch that do not count"
    )
    parser.add_argument(
        "--spectrum",
        type=float,
        default=TrainConfig().spectrum,
        help="weight of the error of luma's spectrum",
    )
    parser.add_argument("--judge", type=int, default=1000, help="every so many steps, on eight photographs")
    parser.add_argument("--relative", action="store_true", help="a loss that weighs patches as PSNR does")
    options = parser.parse_args(arguments)
    if options.faithful and options.variant != "clean":
        parser.error("--faithful goes with --variant clean")
    if options.shape == "span" and options.variant != "faithful":
        parser.error("--shape span goes with --variant faithful: only Compact's last layer can keep greys")
    if options.shape == "deeper" and not options.start:
        parser.error("--shape deeper needs --start: a trained Compact, or a deeper network")
    if options.pairs and options.photographs:
        parser.error("--pairs has its photographs in it already: leave out --photographs")
    pairs = tuple(sorted(options.pairs.glob("*.npz"))) if options.pairs else ()
    if options.pairs and not pairs:
        parser.error(f"{options.pairs} holds no pairs: fill it with training.ensemble")
    config = TrainConfig(
        seed=options.seed,
        variant=options.variant,
        network=network_of(options),
        optim=OptimConfig(options.adam_rate, options.muon_rate),
        chroma=options.chroma,
        softening=options.softening,
        relative=options.relative,
        margin=options.margin,
        spectrum=options.spectrum,
    )
    data = DataConfig(
        leaves=PLAIN if options.plain else LeafConfig(),
        batch=options.batch,
        patch=options.patch,
        scale=options.scale,
        pool=options.pool,
        refresh=options.refresh,
        workers=options.workers,
        cutters=options.cutters,
        degrading=DegradeConfig() if options.variant == "clean" else None,
        photographs=read_manifest(options.photographs) if options.photographs else (),
        drawn=options.drawn,
        candidates=options.candidates,
        pairs=pairs,
    )
    start = load_file(options.start) if options.start else None
    device = torch.device(options.device)
    if options.faithful:
        faithful = load_file(options.faithful)
        trainer: Trainer = CleanTrainer(
            config, device, faithful, options.mixed, compiled=options.compile, start=start
        )
    else:
        trainer = Trainer(config, device, compiled=options.compile, start=start)
    if options.resume:
        trainer.load(options.out / "last.pt")
    run(trainer, data, Budget(options.steps, options.minutes), Reporting(options.out, judge=options.judge))


def network_of(options: argparse.Namespace) -> Config:
    """The network that is asked for."""
    if options.shape == "span":
        return SpanConfig(options.features or SpanConfig().features, options.scale)
    compact = NetworkConfig(options.features or NetworkConfig().features, options.hidden, options.scale)
    return DeeperConfig(compact) if options.shape == "deeper" else compact


if __name__ == "__main__":
    # Unhandled, the signal would leave the processes that draw behind, of nearly a gigabyte each.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    main()
