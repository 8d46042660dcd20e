"""The networks that can be trained, by their configurations and by their weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pixelmend.engine.backends import compact
from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from pixelmend.engine.weights.compact import config_of as compact_config_of
from training.deeper import Deeper, DeeperConfig, deeper_config_of, deeper_from_state, start_deeper_from
from training.span import Span, SpanConfig, span_config_of, span_from_state
from training.span_start import start_span_as_bicubic, start_span_from
from training.start import start_as_bicubic, start_from

Config = NetworkConfig | SpanConfig | DeeperConfig
Network = Compact | Span | Deeper


def build(config: Config) -> Network:
    """With random weights."""
    match config:
        case SpanConfig():
            return Span(config)
        case DeeperConfig():
            return Deeper(config)
        case NetworkConfig():
            return Compact(config)


def start(network: Network, trained: Mapping[str, Tensor] | None, generator: torch.Generator) -> None:
    """Overwrite all weights of ``network``: with trained ones (see ``start_from``), or to compute bicubic.

    Raises ValueError if the trained network is of another shape, or missing though the shape needs one.
    """
    if isinstance(network, Deeper):
        if trained is None:
            raise ValueError("a deeper network starts from a trained Compact")
        start_deeper_from(network, trained, generator)
    elif isinstance(network, Span):
        start_span_as_bicubic(network, generator) if trained is None else start_span_from(network, trained)
    elif trained is None:
        start_as_bicubic(network, generator)
    else:
        start_from(network, trained)


def config_of(state: Mapping[str, Tensor]) -> Config:
    """Raises ValueError if ``state`` is not one of these networks."""
    config = compact_config_of(state) or span_config_of(state) or deeper_config_of(state)
    if config is None:
        raise ValueError("these tensors are those of no network that is trained here")
    return config


def from_state(state: Mapping[str, Tensor]) -> Network:
    """A float32 network holding ``state``, in evaluation mode. Raises ValueError if it is none of these."""
    match config_of(state):
        case SpanConfig():
            return span_from_state(state)
        case DeeperConfig():
            return deeper_from_state(state)
        case NetworkConfig():
            return compact.from_state(state)
