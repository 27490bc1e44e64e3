"""The three phases of the adversarial autoencoder of Latif et al. 2022, equations 2–5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from unheard.errors import InputError
from unheard.methods.batch import Batch
from unheard.methods.cross_gradient import running_statistics_kept
from unheard.methods.discriminator import Discriminator, log_code, log_draw
from unheard.methods.method import Method
from unheard.methods.model import Model
from unheard.methods.optimizer import OptimizerSettings
from unheard.methods.reconstruction import Reconstruction
from unheard.networks.network import Tap


class AdversarialAutoencoder(Method):
    """Every batch makes the network E learn three times, each time from where the phase before has left it.

        1. reconstruction: E and the decoder descend α ‖x − x̂‖²                                      (equation 3)
        2. regularisation: (a) the discriminator D descends −[log D(d) + log(1 − D(z))],             (equation 4)
           (b) E descends log(1 − D(z)), with the D of (a)
        3. classification: E and the classifiers descend β L_E + (1 − β) (L_G + L_S)                 (equation 2)

    z is what E makes of x, d a draw from N(0, I). The terms say what there is: reconstructions belong to phase 1,
    discriminators to 2, all others to 3, and α, β and 1 − β are their weights. Without a discriminator it is an
    autoencoder, and phase 2 is left out. Phases 2a and 2b share one pass through E, so a batch costs three, or two.

    Each phase has an optimiser of its own. E's batch normalisation uses the statistics of the batch in all phases, and
    its running ones move in phase 1 only.

    Args:
        model, optimizer, fabric: see :class:`Method`.
        deception: what E descends in 2b: log(1 − D(z)), which is ``saturating``, or −log D(z), whose gradient does not
            vanish where D is sure.

    Raises:
        InputError: the recipe has no reconstruction, or a term of phase 3 reads what a term of another makes.
    """

    def __init__(
        self,
        model: Model,
        optimizer: OptimizerSettings,
        fabric: Fabric,
        *,
        deception: Literal["saturating", "non_saturating"] = "saturating",
    ) -> None:
        self.deception = deception
        self.reconstructions = [name for name in model.terms if isinstance(model.term(name), Reconstruction)]
        self.discriminators = [name for name in model.terms if isinstance(model.term(name), Discriminator)]
        first = {*self.reconstructions, *self.discriminators}
        self.others = [name for name in model.terms if name not in first]
        if not self.reconstructions:
            raise InputError('an adversarial autoencoder needs a term with "kind: reconstruction"')
        for name in self.others:
            if model.term(name).tap.partition(".")[0] in first:
                raise InputError(
                    f'the term "{name}" reads "{model.term(name).tap}", which is not there in the phase that it '
                    f"learns in; let it read a tap of the network"
                )
        super().__init__(model, optimizer, fabric)

    def build_optimizers(self, model: Model) -> list[Optimizer]:
        """One for each phase, in their order: 1, 2a, 2b, 3, or 1 and 3."""
        reconstructions, discriminators, others = (
            [model.term(name) for name in names] for names in (self.reconstructions, self.discriminators, self.others)
        )
        phases: list[list[nn.Module]] = [[model.network, *reconstructions]]
        if discriminators:
            phases += [[*discriminators], [model.network]]
        phases.append([model.network, *others])
        return [self._optimizer(model, parts) for parts in phases]

    def _optimizer(self, model: Model, parts: list[nn.Module]) -> Optimizer:
        """One over these parts alone, with the options that their terms have."""
        chosen = {id(parameter) for part in parts for parameter in part.parameters()}
        groups = [
            group | {"params": [parameter for parameter in group["params"] if id(parameter) in chosen]}
            for group in model.parameter_groups()
        ]
        return self.settings.build([group for group in groups if group["params"]])

    def update(self, batch: Batch, auxiliary: Batch | None = None, progress: float = 0.0) -> dict[str, float]:
        """All phases; returns the unweighted loss of each term, and what E descends in 2b as ``<term>.deception``."""
        self.model.train()
        _, losses = self._descend(self.optimizers[0], batch, progress, self.reconstructions)
        with running_statistics_kept(self.module.network):
            if self.discriminators:
                losses |= self._regularise(batch, progress)
            taps, found = self._descend(self.optimizers[-1], batch, progress, self.others)
        self.module.after_step(taps, batch)
        return losses | found

    def _descend(
        self, optimizer: Optimizer, batch: Batch, progress: float, terms: list[str]
    ) -> tuple[dict[str, Tap], dict[str, float]]:
        """Phase 1 or 3: a step on the weighted sum of some terms, if one of them has labels in the batch."""
        optimizer.zero_grad()
        taps, losses = self.model(batch, progress, terms)
        if losses:
            self.fabric.backward(self.module.total(losses))
        self.step(optimizer)
        return taps, {name: float(loss.detach()) for name, loss in losses.items()}

    def _regularise(self, batch: Batch, progress: float) -> dict[str, float]:
        """Phase 2, both parts behind one pass through E."""
        _, discriminating, encoding, _ = self.optimizers
        taps, _ = self.model(batch, progress, (), losses=False)
        codes = {name: Tap(tap.values.detach(), tap.lengths) for name, tap in taps.items()}
        with self.fabric.autocast():
            losses = {name: term.loss(term.read(codes, progress), batch) for name, term in self._discriminators()}
        discriminating.zero_grad()
        self.fabric.backward(self.module.total(losses))
        self.step(discriminating)
        with self.fabric.autocast():
            deceptions = {name: self._deception(term, taps) for name, term in self._discriminators()}
        encoding.zero_grad()
        self.fabric.backward(self.module.total(deceptions))  # what D gathers here is not used
        self.step(encoding)
        told = losses | {f"{name}.deception": loss for name, loss in deceptions.items()}
        return {name: float(loss.detach()) for name, loss in told.items()}

    def _deception(self, discriminator: Discriminator, taps: dict[str, Tap]) -> Tensor:
        logits = discriminator.logits(taps[discriminator.tap].per_utterance())
        return log_code(logits).mean() if self.deception == "saturating" else -log_draw(logits).mean()

    def _discriminators(self) -> Iterator[tuple[str, Discriminator]]:
        for name in self.discriminators:
            term = self.module.term(name)
            assert isinstance(term, Discriminator)
            yield name, term
