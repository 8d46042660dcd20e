"""The dials of a model: how much of its partners' weights is mixed into its own."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Dials:
    """Each in [0, 1], or None if it is not turned. With none turned, a model's own weights stand alone.

    denoise: towards the network that removes noise. detail: from there towards the one that draws detail.
    """

    denoise: float | None = None
    detail: float | None = None

    @property
    def turned(self) -> dict[str, float]:
        """Those that are not None, by name, in the order in which their networks are mixed in."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


UNTURNED = Dials()
