"""How sure a recognizer is: the temperature of its posteriors, and how sure it must be to name an emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unheard.errors import InputError
from unheard.metrics.calibration import COLDEST, HOTTEST, tempered

#: What a config may say.
LIMITS = {"temperature": (COLDEST, HOTTEST), "threshold": (0.0, 1.0)}


@dataclass(frozen=True)
class Calibration:
    """What was learned about a recognizer's posteriors from speakers that it had not heard.

    Attributes:
        temperature: posteriors become softmax(log p / temperature) (Guo et al. 2017); 1 leaves them as they are.
        threshold: an emotion that is less probable than this is not named; with 0 one always is.
    """

    temperature: float = 1.0
    threshold: float = 0.0

    @classmethod
    def check(cls, values: Any, where: str) -> Calibration:
        """From the plain values of a config.

        Raises:
            InputError: there is another key, or a value is no number that it can be.
        """
        if not isinstance(values, Mapping) or not set(values) <= set(LIMITS):
            raise InputError(f"{where}: this can hold {' and '.join(LIMITS)} and nothing else")
        for key, value in values.items():
            low, high = LIMITS[key]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InputError(f'{where}: "{key}" is a number from {low:g} to {high:g}')
        return cls(**{key: float(value) for key, value in values.items()})

    def applied(self, posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Posteriors [..., emotions], calibrated."""
        return posteriors if self.temperature == 1 else tempered(posteriors, self.temperature).astype(np.float32)

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return asdict(self)
