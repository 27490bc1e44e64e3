"""What a term is: a loss that reads a tap, with the head it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor, nn

from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError, did_you_mean
from unheard.methods.batch import Batch
from unheard.networks.network import Tap


class Term(nn.Module, ABC):
    """One summand of the objective: a head on a tap, a loss, a weight.

    Settings are the keyword arguments of ``__init__`` after ``taps`` (widths by name) and ``vocabulary``, which is that
    of the training part for the setting ``column``, or None for a term that has no such setting.
    """

    tap: str
    weight: float
    #: The width of every tap that :meth:`read` makes; the terms behind this one may read them as ``<term>.<tap>``.
    taps: Mapping[str, int] = MappingProxyType({})
    #: Options of the optimiser for the parameters of this term alone, such as ``lr`` and ``weight_decay``.
    optimizer_options: Mapping[str, float] = MappingProxyType({})

    @abstractmethod
    def read(self, taps: dict[str, Tap], progress: float) -> dict[str, Tap]:
        """What the head makes of the taps; ``progress`` is the finished share of training (0 to 1)."""

    @abstractmethod
    def loss(self, read: dict[str, Tap], batch: Batch) -> Tensor | None:
        """The unweighted loss of what :meth:`read` returned, or None where the batch has no label for it."""

    def after_step(self, taps: dict[str, Tap], batch: Batch) -> None:
        """Change what the optimiser does not; ``taps`` are all those of the step. Nothing by default."""

    def fit(self, vocabulary: Vocabulary, labels: Tensor) -> None:
        """Set what depends on the training labels [utterances]; nothing by default."""


def require_tap(tap: str, taps: Mapping[str, int], purpose: str) -> None:
    """See that there is a tap of that name.

    Raises:
        InputError: there is none; the sentence says what it was wanted for.
    """
    if tap not in taps:
        raise InputError(f'there is no tap "{tap}" {purpose}; {did_you_mean(tap, taps)}')
