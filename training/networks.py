"""The networks that can be trained, by their configurations and by their weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from pixelmend.engine.backends import compact
from pixelmend.engine.backends.compact import Compact
from pixelmend.engine.weights.compact import NetworkConfig
from pixelmend.engine.weights.compact import config_of as compact_config_of
from training.span import Span, SpanConfig, span_config_of, span_from_state
from training.span_start import start_span_as_bicubic, start_span_from
from training.start import start_as_bicubic, start_from

Config = NetworkConfig | SpanConfig
Network = Compact | Span


def build(config: Config) -> Network:
    """With random weights."""
    return Span(config) if isinstance(config, SpanConfig) else Compact(config)


def start(network: Network, trained: Mapping[str, Tensor] | None, generator: torch.Generator) -> None:
    """Overwrite all weights of ``network``: with trained ones (see ``start_from``), or to compute bicubic.

    Raises ValueError if the trained network is of another shape.
    """
    if isinstance(network, Span):
        start_span_as_bicubic(network, generator) if trained is None else start_span_from(network, trained)
    elif trained is None:
        start_as_bicubic(network, generator)
    else:
        start_from(network, trained)


def config_of(state: Mapping[str, Tensor]) -> Config:
    """Raises ValueError if ``state`` is not one of these networks."""
    config = compact_config_of(state) or span_config_of(state)
    if config is None:
        raise ValueError("these tensors are those of neither Compact with PReLU nor SPAN without norm")
    return config


def from_state(state: Mapping[str, Tensor]) -> Network:
    """A float32 network holding ``state``, in evaluation mode. Raises ValueError if it is none of these."""
    return span_from_state(state) if isinstance(config_of(state), SpanConfig) else compact.from_state(state)
