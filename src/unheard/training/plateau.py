"""The schedule ``plateau``: where the score does not rise, back to the best epoch, and on at a lower rate."""

from __future__ import annotations

from dataclasses import dataclass

from unheard.methods.optimizer import OptimizerSettings


@dataclass
class Plateau:
    """Counts the epochs without a better score (Latif et al. 2022, section 4.2).

    Attributes:
        settings: the recipe's optimiser.
        left: what the rates are multiplied by.
        waited: epochs since the score rose, or since the rate fell.

    >>> plateau = Plateau(OptimizerSettings(learning_rate=1e-4, schedule="plateau", patience=2))
    >>> tuple(plateau.falls(better) for better in (True, False, True, False, False, False))
    (False, False, False, False, True, False)
    >>> plateau.left, plateau.waited, plateau.over
    (0.5, 1, False)
    """

    settings: OptimizerSettings
    left: float = 1.0
    waited: int = 0

    def falls(self, better: bool) -> bool:
        """Whether the rate falls after an epoch, whose score was better than all before or was not."""
        if self.settings.schedule != "plateau":
            return False
        self.waited = 0 if better else self.waited + 1
        if self.waited < self.settings.patience:
            return False
        self.left, self.waited = self.left * self.settings.factor, 0
        return True

    @property
    def rate(self) -> float:
        """The learning rate that is left."""
        return self.settings.learning_rate * self.left

    @property
    def over(self) -> bool:
        """Whether the rate has fallen below the lowest."""
        return self.settings.schedule == "plateau" and self.rate < self.settings.lowest_rate
