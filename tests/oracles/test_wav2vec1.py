"""Encoder and aggregator of wav2vec 1.0, read from fairseq's checkpoints, give what fairseq's own code gives."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from unheard.networks.wav2vec import Wav2vec

FOLDER = os.environ.get("UNHEARD_ORACLES")
CASES = [
    path for path in sorted((Path(FOLDER) / "wav2vec1").glob("*.pt")) if path.with_suffix(".npz").exists()
] if FOLDER else []  # fmt: skip
TOLERANCE = 1e-4

pytestmark = [
    pytest.mark.skipif(not CASES, reason="UNHEARD_ORACLES does not name a folder with wav2vec1/*.pt and *.npz"),
    pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem),
]


def network(case: Path) -> Wav2vec:
    return Wav2vec((), checkpoint=case, convolutions=((4, 3, 1),), lstm=2, lstm_layers=1).eval()


def clips(case: Path) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Waveform, z and c of every clip."""
    with np.load(case.with_suffix(".npz")) as file:
        for name in file.files:
            if name.startswith("wave"):
                number = name.removeprefix("wave")
                yield tuple(torch.from_numpy(file[f"{kind}{number}"]) for kind in ("wave", "z", "c"))


def test_a_clip_gives_what_the_reference_gives(case: Path):
    for wave, z, c in clips(case):
        taps = network(case)(wave[None], torch.tensor([len(wave)]))
        for name, expected in (("features", z), ("context", c)):
            assert int(taps[name].lengths) == expected.shape[1]
            torch.testing.assert_close(taps[name].values[0].mT.detach(), expected, atol=TOLERANCE, rtol=0)


def test_clips_of_different_lengths_give_the_same_together(case: Path):
    waves, z, c = zip(*clips(case), strict=True)
    padded = torch.nn.utils.rnn.pad_sequence(list(waves), batch_first=True, padding_value=0.5)
    taps = network(case)(padded, torch.tensor([len(wave) for wave in waves]))
    for name, references in (("features", z), ("context", c)):
        for row, expected in enumerate(references):
            found = taps[name].values[row, : expected.shape[1]].mT.detach()
            torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)
