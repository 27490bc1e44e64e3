import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from unheard.errors import InputError
from unheard.frontends.opensmile import SIZES, OpenSmile


def voice(seconds: float, pitch: float = 120.0) -> torch.Tensor:
    """A buzz with a falling pitch, in 16-bit steps."""
    time = np.arange(int(seconds * 16000)) / 16000
    phase = 2 * np.pi * pitch * (time - 0.1 * time**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.2
    noise = np.random.default_rng(0).standard_normal(len(time)) * 0.003
    return torch.from_numpy(np.round((wave + noise) * 32768).astype(np.int16) / np.float32(32768))


def vector(front_end: OpenSmile, waveform: torch.Tensor) -> torch.Tensor:
    return front_end.fixed(waveform[None], torch.tensor([len(waveform)]))[0][0, 0]


@pytest.fixture(params=list(SIZES))
def front_end(request: pytest.FixtureRequest) -> OpenSmile:
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    return OpenSmile(feature_set=request.param)


def test_the_values_are_those_of_opensmile_on_the_file(tmp_path: Path, front_end: OpenSmile):
    import opensmile

    soundfile.write(tmp_path / "a.wav", voice(1.2).numpy(), 16000, subtype="PCM_16")
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet[front_end.feature_set])
    expected = smile.process_file(str(tmp_path / "a.wav")).to_numpy(dtype=np.float32)[0]
    assert front_end.shape == expected.shape
    np.testing.assert_array_equal(vector(front_end, voice(1.2)).numpy(), expected)


def test_padding_and_neighbours_change_nothing(front_end: OpenSmile):
    long, short = voice(1.0), voice(0.6, pitch=200.0)
    batch = torch.full((2, 16000), 0.5)
    batch[0], batch[1, : len(short)] = long, short
    values, lengths = front_end.fixed(batch, torch.tensor([len(long), len(short)]))
    assert values.shape == (2, 1, *front_end.shape)
    assert (values.dtype, lengths.tolist()) == (torch.float32, [1, 1])
    torch.testing.assert_close(values[:, 0], torch.stack([vector(front_end, long), vector(front_end, short)]))
    assert front_end.draw(values, lengths)[0].shape == (2, *front_end.shape)


@pytest.mark.parametrize("samples", [0, 1, 400, 959, 960])
@pytest.mark.filterwarnings("error")
def test_very_short_recordings_and_silence_are_finite(front_end: OpenSmile, samples: int):
    assert vector(front_end, voice(0.1)[:samples]).isfinite().all()
    assert vector(front_end, torch.zeros(8000)).isfinite().all()


def test_full_scale_does_not_wrap_around(front_end: OpenSmile):
    wave = voice(0.5)
    clipped = (wave * 8).clamp(-1.0, 1.0)
    just_below = clipped.clamp(max=32767 / 32768)
    torch.testing.assert_close(vector(front_end, clipped), vector(front_end, just_below))


def test_another_process_makes_its_own_extractor(front_end: OpenSmile):
    before = vector(front_end, voice(0.5))
    copy = pickle.loads(pickle.dumps(front_end))
    assert copy._extractor is None
    torch.testing.assert_close(vector(copy, voice(0.5)), before)


def test_without_the_package_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    front_end = OpenSmile()
    assert front_end.shape == (88,)
    with pytest.raises(InputError, match=r"non-commercial use only: pip install 'unheard\[opensmile\]'"):
        vector(front_end, voice(0.5))


def test_normalised_values_have_the_mean_and_deviation_of_training_and_no_outliers():
    front_end = OpenSmile(normalize="train", clip=2.0)
    draw = torch.Generator().manual_seed(0)
    training = torch.randn(50, 1, 88, generator=draw) * 7 + 100
    training[:, 0, 3] = 5.0
    front_end.fit(training)
    values, _ = front_end.draw(training, torch.ones(50, dtype=torch.long))
    assert values.abs().max() == 2.0
    assert values[:, :3].mean().abs() < 0.2
    assert not values[:, 3].any()  # constant in training
    strange, _ = front_end.draw(torch.full((1, 1, 88), 1e6), torch.ones(1, dtype=torch.long))
    assert strange[0, 3] == 0
    assert (strange[0, 4:] == 2.0).all()


def test_its_statistics_are_saved_and_the_plain_one_has_none():
    assert set(OpenSmile(normalize="train").state_dict()) == {"mean", "deviation"}
    assert not OpenSmile().state_dict()
