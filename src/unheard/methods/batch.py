"""A batch: padded features with their lengths, and one integer column per label."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor


@dataclass
class Batch:
    """What one optimisation step sees.

    ``features`` is padded with zeros: [batch, time, bands], [batch, channels, frequency, time] or [batch, samples];
    ``lengths`` [batch] counts the valid frames or samples. ``labels`` holds [batch] integers per column; −1 is missing.
    """

    features: Tensor
    lengths: Tensor
    labels: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.features)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        labels = {column: values.to(device, non_blocking=True) for column, values in self.labels.items()}
        return Batch(self.features.to(device, non_blocking=True), self.lengths.to(device, non_blocking=True), labels)

    def known(self, column: str) -> Tensor | None:
        """The labels [batch] of a column, or None where no utterance has one."""
        labels = self.labels.get(column)
        return labels if labels is not None and bool((labels >= 0).any()) else None

    def with_features(self, features: Tensor) -> Batch:
        """The same utterances with other features."""
        return replace(self, features=features)
