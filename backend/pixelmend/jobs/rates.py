"""What work costs on this machine, learned from the reports of finished jobs."""

from collections import defaultdict
from dataclasses import dataclass, field

from pixelmend.imaging.formats import OutputFormat
from pixelmend.tasks.image import ImageReport

_MEMORY = 0.9
"""How much of what was known stays when a job is added: the last ten or so jobs count."""


@dataclass(slots=True)
class _Rate:
    """Seconds per pixel, where large jobs say more than small ones."""

    seconds: float = 0.0
    pixels: float = 0.0

    def learn(self, seconds: float, pixels: int) -> None:
        self.seconds = _MEMORY * self.seconds + seconds
        self.pixels = _MEMORY * self.pixels + pixels

    def seconds_for(self, pixels: int) -> float | None:
        return self.seconds / self.pixels * pixels if self.pixels else None


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of one job that has the machine for itself."""

    decode: float
    device: float
    encode: float

    @property
    def total(self) -> float:
        return self.decode + self.device + self.encode


@dataclass(slots=True)
class Rates:
    """Seconds per pixel: of the input to decode, of the tiles to compute, of the result to encode.

    Encoding is what remains of it after the last tile; the rest of it is hidden behind the device's work.
    """

    _decode: _Rate = field(default_factory=_Rate)
    _device: defaultdict[tuple[str, str], _Rate] = field(default_factory=lambda: defaultdict(_Rate))
    _encode: defaultdict[OutputFormat, _Rate] = field(default_factory=lambda: defaultdict(_Rate))

    def learn(self, report: ImageReport, output_format: OutputFormat) -> None:
        if not report.computed_px:
            return  # written by a version that did not count
        self._decode.learn(report.decode_s, report.source_px)
        self._device[report.model, report.precision].learn(report.device_s, report.computed_px)
        self._encode[output_format].learn(report.encode_s, report.width_px * report.height_px)

    def predict(
        self,
        *,
        model: str,
        precision: str,
        output_format: OutputFormat,
        source_px: int,
        computed_px: int,
        result_px: int,
        first_guess: float | None = None,
    ) -> Seconds | None:
        """None where no job of that model in that precision has been seen, and there is no guess either.

        first_guess: seconds that a computed pixel takes, for as long as no job has shown it.
        A format that was not seen yet counts as one that is encoded while the device computes.
        """
        device_s = self._device[model, precision].seconds_for(computed_px)
        if device_s is None and first_guess is not None:
            device_s = first_guess * computed_px
        if device_s is None:
            return None
        decode_s = self._decode.seconds_for(source_px)
        encode_s = self._encode[output_format].seconds_for(result_px)
        return Seconds(decode_s or 0.0, device_s, encode_s or 0.0)
