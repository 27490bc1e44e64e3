"""A model: a network and the terms that read its taps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import Tensor, nn

from unheard.methods.batch import Batch
from unheard.methods.term import Term
from unheard.networks.network import Network, Tap


class Model(nn.Module):
    """A network with named terms. The term ``emotion`` gives the posteriors."""

    def __init__(self, network: Network, terms: dict[str, Term]) -> None:
        super().__init__()
        self.network = network
        self.terms = nn.ModuleDict(terms)

    def term(self, name: str) -> Term:
        """The term of that name."""
        term = self.terms[name]
        assert isinstance(term, Term)
        return term

    def forward(
        self, batch: Batch, progress: float = 0.0, terms: Collection[str] | None = None, *, losses: bool = True
    ) -> tuple[dict[str, Tap], dict[str, Tensor]]:
        """All taps, those of the terms as ``<term>.<tap>``, and the unweighted loss of each term that has labels.

        Args:
            batch: padded features and labels.
            progress: finished share of training, for what changes over it.
            terms: only these; all by default.
            losses: whether to compute them.
        """
        taps: dict[str, Tap] = self.network(batch.features, batch.lengths)
        found = {}
        for name in self.terms if terms is None else terms:
            term = self.term(name)
            read = term.read(taps, progress)
            taps |= {f"{name}.{tap}": value for tap, value in read.items()}
            if losses and (loss := term.loss(read, batch)) is not None:
                found[name] = loss
        return taps, found

    def after_step(self, taps: dict[str, Tap], batch: Batch) -> None:
        """What the terms change themselves, once the optimiser has made its step on ``batch``."""
        for name in self.terms:
            self.term(name).after_step(taps, batch)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All parameters as an optimiser takes them: one group, and one for each part that has options of its own."""
        own = [(part, options) for part in self.modules() if (options := getattr(part, "optimizer_options", None))]
        apart = {id(parameter) for part, _ in own for parameter in part.parameters()}
        shared = [parameter for parameter in self.parameters() if id(parameter) not in apart]
        return [{"params": shared}, *({"params": [*part.parameters()], **options} for part, options in own)]

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum of the losses."""
        weighted = [self.term(name).weight * loss for name, loss in losses.items()]
        return sum(weighted[1:], start=weighted[0])
