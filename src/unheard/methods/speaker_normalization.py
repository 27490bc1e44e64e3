"""Speaker normalisation (Gat et al. 2022): the emotion's loss is descended, then the speaker's is climbed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from lightning_fabric import Fabric
from pydantic import PositiveFloat
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from unheard.errors import InputError, did_you_mean
from unheard.methods.batch import Batch
from unheard.methods.cross_gradient import running_statistics_kept
from unheard.methods.method import Method
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.methods.term import require_tap
from unheard.networks.network import Network
from unheard.networks.projected import Projected


class SpeakerNormalization(Method):
    """Two steps in turn, each on a batch of its own: one of emotions, one of speakers.

    With the network w, the heads w_er and w_id, and the losses ℓ_er and ℓ_id, for all parameters (``scope: all``, TAP):

        w ← w − η ∂ℓ_er/∂w,  w_er ← w_er − η ∂ℓ_er/∂w_er                                    (equations 1 and 2)
        w ← w + λ ∂ℓ_id/∂w,  w_id ← w_id − η ∂ℓ_id/∂w_id                                    (equations 3 and 4)

    With ``scope: projector`` (SNP) a layer ŵ stands between network and heads. It learns with both in the first step;
    in the second it takes the place of w, which stays as it is. Both gradients of a step are taken at the same point.

    The first step is that of all terms but the speaker's; the second learns from the speakers of a second batch, of a
    corpus that needs no emotion labels. The rates η are the recipe's; λ follows their schedule. Blocks that the second
    step does not train keep their running statistics in it.

    Args:
        model, optimizer, fabric: see :class:`Method`.
        scope: what climbs, ``all`` parameters of the network or its ``projector`` alone.
        projector: ``relu`` is relu(W h + b), ``gate`` is h ⊙ σ(W h + b); it lies behind the tap that the terms read.
        projector_learning_rate: of the projector in the first step, where it is not that of the network.
        ascent_rate: λ.
        ascent: ``sgd`` is equation 3 to the letter; ``same`` takes the recipe's kind of optimiser, with rate λ and
            without weight decay, on the negated gradient.
        clip: a gradient of a descent longer than this is shortened to it; none is where it is null.
        speaker: the term that is climbed.

    Raises:
        InputError: there is no such term, it is reversed already, or the terms read different taps of the projector.
    """

    second_batch: ClassVar[bool] = True
    measures: ClassVar[tuple[str, ...]] = ("ascent_to_descent",)

    def __init__(
        self,
        model: Model,
        optimizer: OptimizerSettings,
        fabric: Fabric,
        *,
        scope: Literal["all", "projector"] = "all",
        projector: Literal["relu", "gate"] = "relu",
        projector_learning_rate: PositiveFloat | None = None,
        ascent_rate: PositiveFloat = 1e-3,
        ascent: Literal["sgd", "same"] = "sgd",
        clip: PositiveFloat | None = 1.0,
        speaker: str = "speaker",
    ) -> None:
        if speaker not in model.terms:
            raise InputError(
                f'speaker normalisation needs a term "{speaker}"; {did_you_mean(speaker, model.terms.keys())}'
            )
        if getattr(model.term(speaker), "reverse", None) is not None:
            raise InputError(
                f'speaker normalisation climbs the loss of the term "{speaker}" by itself; leave out its reverse'
            )
        self.speaker, self.ascent, self.ascent_rate, self.clip = speaker, ascent, ascent_rate, clip
        self.projected = model.network if isinstance(model.network, Projected) else None
        climbing = model.network if self.projected is None else self.projected.projector
        self.climbing = [weight for weight in climbing.parameters() if weight.requires_grad]
        super().__init__(model, optimizer, fabric)

    @classmethod
    def adapted(cls, network: Network, terms: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Any]) -> Network:
        """With a projector where the scope is one."""
        if settings.get("scope") != "projector":
            return network
        read = {name: term["tap"] for name, term in terms.items() if "." not in term.get("tap", ".")}
        if len(set(read.values())) != 1:
            raise InputError(
                "the projector of speaker normalisation lies behind one tap, which all terms read; here they read "
                + ", ".join(f"{tap} ({name})" for name, tap in read.items())
            )
        (tap,) = set(read.values())
        require_tap(tap, network.taps, "to put a projector behind")
        return Projected(network, tap, settings.get("projector", "relu"), settings.get("projector_learning_rate"))

    def build_optimizers(self, model: Model) -> list[Optimizer]:
        """That of the first step, and of the second those of the head and of the ascent."""
        head = {id(weight) for weight in model.term(self.speaker).parameters()}

        def groups(of_head: bool) -> list[dict[str, Any]]:
            chosen = [
                {**group, "params": [weight for weight in group["params"] if (id(weight) in head) == of_head]}
                for group in model.parameter_groups()
            ]
            return [group for group in chosen if group["params"]]

        plain = OptimizerSettings(name="sgd", learning_rate=self.ascent_rate)
        same = self.settings.model_copy(update={"learning_rate": self.ascent_rate, "weight_decay": 0.0})
        ascent = plain if self.ascent == "sgd" else same
        return [self.settings.build(groups(False)), self.settings.build(groups(True)), ascent.build(self.climbing)]

    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """Both steps; a batch without a label moves nothing.

        Besides the losses, ``ascent_to_descent`` is how far the second step moved what climbs, as a multiple of how far
        the first did.
        """
        if auxiliary is None:
            raise ValueError("speaker normalisation needs a second batch")
        self.model.train()
        losses, down = self._descend(batch, progress)
        speakers, up = self._climb(auxiliary, progress)
        ratio = {"ascent_to_descent": up / down} if up and down else {}
        return losses | speakers | ratio

    def _descend(self, batch: Batch, progress: float) -> tuple[dict[str, float], float]:
        """Step 1: the losses, and how far what climbs was moved."""
        descent, _, _ = self.optimizers
        terms = [name for name in self.module.terms if name != self.speaker]
        self.module.zero_grad()
        taps, losses = self.model(batch, progress, terms) if self._has_labels(terms, batch) else ({}, {})
        if losses:
            self.fabric.backward(self.module.total(losses))
        moved = self._moved_by(descent, self.clip)
        if losses:
            self.module.after_step(taps, batch)
        return {name: float(loss.detach()) for name, loss in losses.items()}, moved

    def _climb(self, batch: Batch, progress: float) -> tuple[dict[str, float], float]:
        """Step 2: the speaker's loss, and how far what climbs was moved."""
        _, head, ascent = self.optimizers
        self.module.zero_grad()
        losses: dict[str, Tensor] = {}
        if self._has_labels([self.speaker], batch):
            with self._upstream_fixed():
                _, losses = self.model(batch, progress, [self.speaker])
            self.fabric.backward(self.module.total(losses))
        self.step(head, self.clip)
        for weight in self.climbing:
            if weight.grad is not None:
                weight.grad.neg_()
        moved = self._moved_by(ascent)
        return {name: float(loss.detach()) for name, loss in losses.items()}, moved

    def _has_labels(self, terms: Iterable[str], batch: Batch) -> bool:
        """Whether one of the terms learns from the batch; a pass for nothing would still move running statistics."""
        columns = [getattr(self.module.term(name), "column", None) for name in terms]
        return any(column is None or batch.known(column) is not None for column in columns)

    @contextmanager
    def _upstream_fixed(self) -> Iterator[None]:
        """Inside, what lies before a projector is computed without gradients and keeps its running statistics."""
        if self.projected is None:
            yield
            return
        with self.projected.upstream_fixed(), running_statistics_kept(self.projected.network):
            yield

    def _moved_by(self, optimizer: Optimizer, clip: float | None = None) -> float:
        """Make a step, and say how far it moved what climbs."""
        before = [weight.detach().clone() for weight in self.climbing]
        self.step(optimizer, clip)
        moves = [weight.detach() - old for weight, old in zip(self.climbing, before, strict=True)]
        return float(get_total_norm(moves))
