"""A recognizer as one module that can be traced: waveforms in, posteriors out."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn import functional

from unheard.errors import InputError
from unheard.export.operators import OnnxLstm, PortableOperators
from unheard.methods.batch import Batch
from unheard.metrics.calibration import SMALLEST
from unheard.networks.layers import FrameLstm
from unheard.training.fitted import Fitted, FittedNetwork

#: What is known to give the same in ONNX.
FRONT_ENDS = ("filterbank", "mfcc")
NETWORKS = ("tdnn_lstm",)
#: Samples of silence behind every batch: with them no recording is too short for a frame, so that the graph needs no
#: case for that. What lies behind a recording's length never changes its answer.
SILENCE = 2048


class Posteriors(nn.Module):
    """Front end, network, head, softmax and temperature of a recognizer, its weights copied.

    Args:
        fitted: what is to be exported.

    Raises:
        InputError: it has a part that is not known to give the same in ONNX.
    """

    def __init__(self, fitted: Fitted) -> None:
        super().__init__()
        recipe = fitted.recipe
        if not isinstance(fitted, FittedNetwork) or recipe.network is None:
            raise InputError(f"{recipe.name}: a classical model cannot be exported; only networks can")
        for part, known in ((recipe.front_end, FRONT_ENDS), (recipe.network, NETWORKS)):
            if part.name not in known:
                raise InputError(f"{recipe.name}: {part.name} cannot be exported; {' and '.join(known)} can")
        self.front_end = copy.deepcopy(fitted.front_end)
        self.model = copy.deepcopy(fitted.model)
        for module in [*self.model.modules()]:
            for name, child in module.named_children():
                if isinstance(child, FrameLstm):
                    setattr(module, name, OnnxLstm(child))
        self.temperature = fitted.calibration.temperature
        self.eval()

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """[batch, samples] at 16 kHz in ±1 and [batch] lengths → [batch, emotions]."""
        waveform = functional.pad(waveform, (0, SILENCE))
        with PortableOperators():
            features, frames = self.front_end(waveform, lengths)
            taps, _ = self.model(Batch(features, frames), terms=["emotion"], losses=False)
        posteriors: Tensor = taps["emotion.logits"].values.softmax(dim=1)
        if self.temperature == 1:
            return posteriors
        return (posteriors.clamp(min=SMALLEST).log() / self.temperature).softmax(dim=1)
