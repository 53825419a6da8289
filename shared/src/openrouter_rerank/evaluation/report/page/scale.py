"""
Maps values to positions in a chart, linearly or by their logarithm, and chooses the ticks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

# A logarithmic axis is harder to read, so it is used only for values that differ by more.
_LEAST_RATIO_OF_LOGARITHMS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The positions from `start` to `end` for values from `low` to `high`."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of `value`."""
        return self.start + self._share(value) * (self.end - self.start)

    def _share(self, value: float) -> float:
        if self.is_logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, about: int = 5) -> list[float]:
        """Return round values on the scale, about as many as asked for."""
        if self.is_logarithmic:
            return self._logarithmic_ticks()
        return round_steps(self.low, self.high, about)

    def _logarithmic_ticks(self) -> list[float]:
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        found: list[float] = []
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [float(f"{step}e{decade}") for decade in decades for step in steps]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) >= 4:
                break
        return found


def round_steps(low: float, high: float, about: int) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten from `low` to `high`."""
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def linear(values: Iterable[float], start: float, end: float, *, margin: float = 0.08) -> Scale:
    """Return a linear scale for `values`, with a margin on both sides."""
    found = [*values]
    low, high = min(found), max(found)
    space = (high - low) * margin or abs(high) * 0.1 or 0.1
    return Scale(low=low - space, high=high + space, start=start, end=end)


def for_magnitudes(values: Iterable[float], start: float, end: float) -> Scale:
    """Return a scale for values above 0: by their logarithm if they differ by much."""
    found = [*values]
    low, high = min(found), max(found)
    if high / low < _LEAST_RATIO_OF_LOGARITHMS:
        return linear(found, start, end)
    space = (high / low) ** 0.06
    return Scale(low=low / space, high=high * space, start=start, end=end, is_logarithmic=True)
