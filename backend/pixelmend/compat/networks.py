"""What scripts describe a network with. A weight file says all of it, so these only hold their arguments."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RRDBNet:
    """Stands in for `basicsr.archs.rrdbnet_arch.RRDBNet`."""

    num_in_ch: int
    num_out_ch: int
    scale: int = 4
    num_feat: int = 64
    num_block: int = 23
    num_grow_ch: int = 32


@dataclass(frozen=True, slots=True)
class SRVGGNetCompact:
    """Stands in for `realesrgan.archs.srvgg_arch.SRVGGNetCompact`."""

    num_in_ch: int = 3
    num_out_ch: int = 3
    num_feat: int = 64
    num_conv: int = 16
    upscale: int = 4
    act_type: str = "prelu"
