"""Several channels → one, by the energy of each and of their sum."""

from __future__ import annotations

import numpy as np

from unheard.audio.decode import Samples

#: A channel with less than this part of the loudest channel's energy (−60 dB) is silent.
SILENT = 1e-6


class Channels:
    """What is known of a recording's channels once every block has gone through :meth:`sum`."""

    def __init__(self) -> None:
        self._energies = np.zeros(1)
        self._energy_of_sum = 0.0

    def sum(self, block: Samples) -> Samples:
        """[frames, channels] → their sum [frames]."""
        if block.shape[1] == 1:
            return block[:, 0]
        mixed: Samples = block @ np.ones(block.shape[1], np.float32)
        self._energies = self._energies + [float(channel @ channel) for channel in block.T]
        self._energy_of_sum += float(mixed @ mixed)
        return mixed

    @property
    def cancel(self) -> bool:
        """Whether the sum has less than half the energy of the loudest channel alone, as in anti-phase stereo."""
        return bool(self._energy_of_sum < self._energies.max() / 2)

    @property
    def loudest(self) -> int:
        """The number of the channel with the most energy."""
        return int(self._energies.argmax())

    @property
    def heard(self) -> int:
        """How many are not silent, one at least."""
        return max(1, int(np.count_nonzero(self._energies > SILENT * self._energies.max())))
