import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.frontends import FRONT_ENDS
from unheard.frontends.mfcc import Mfcc

NORMALIZE = ["none", "global", "utterance", "sliding"]


def speech(samples: int, seed: int = 0) -> torch.Tensor:
    """Noise whose loudness comes and goes twice a second, [samples] in ±1."""
    random = np.random.default_rng(seed)
    loudness = np.exp(5 * np.sin(2 * np.pi * 2 * np.arange(samples) / 16000) - 8)
    return torch.from_numpy((loudness * random.standard_normal(samples)).astype(np.float32))


def fixed(front_end: Mfcc, waveform: torch.Tensor) -> torch.Tensor:
    features, lengths = front_end.fixed(waveform[None], torch.tensor([len(waveform)]))
    assert lengths.tolist() == [features.shape[1]]
    return features[0]


def test_it_is_registered_and_says_its_shape() -> None:
    assert FRONT_ENDS["mfcc"] is Mfcc
    assert Mfcc().shape == (39,)
    assert Mfcc(coefficients=20, bands=30, deltas=1).shape == (40,)
    for settings_ in ({}, {"coefficients": 20, "bands": 30, "deltas": 0}):
        assert fixed(Mfcc(**settings_), speech(16000)).shape[1:] == Mfcc(**settings_).shape


def test_quiet_frames_are_left_out_and_the_rest_is_as_among_all_frames() -> None:
    every = fixed(Mfcc(activity="none"), speech(32000))
    voiced = fixed(Mfcc(), speech(32000))
    assert len(every) == 198
    assert 60 < len(voiced) < 170
    kept = (every[:, None] == voiced[None]).all(-1).any(1)
    assert torch.equal(every[kept], voiced)
    assert every[kept, 0].min() > every[~kept, 0].median()


def test_a_quieter_recording_keeps_fewer_frames() -> None:
    assert len(fixed(Mfcc(), speech(64000) * 0.05)) < 0.9 * len(fixed(Mfcc(), speech(64000)))


@pytest.mark.parametrize("activity", ["kaldi", "none"])
@pytest.mark.parametrize("samples", [1, 399, 400, 1500, 3440, 3600])
def test_twenty_frames_come_out_at_least(samples: int, activity: str) -> None:
    every = max(1, 1 + (samples - 400) // 160)
    features = fixed(Mfcc(activity=activity), speech(samples))
    assert len(features) == max(20, every)
    assert (features[every:] == features[every - 1]).all()


def test_too_few_voiced_frames_keep_all() -> None:
    burst = torch.zeros(32000)
    burst[16000:16800] = 0.1 * speech(800) / speech(800).std()
    assert len(fixed(Mfcc(), burst)) == 198


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_digital_silence_works(normalize: str) -> None:
    front_end = Mfcc(normalize=normalize)
    front_end.fit([fixed(front_end, torch.zeros(16000))])
    features, lengths = front_end(torch.zeros(1, 16000), torch.tensor([16000]))
    assert lengths.tolist() == [98]
    assert features.isfinite().all()
    assert features.abs().max() < 100


@given(st.lists(st.integers(1, 20000), min_size=1, max_size=4), st.integers(0, 2000), st.sampled_from(NORMALIZE))
@settings(max_examples=25, deadline=None)
def test_padding_never_changes_an_item(samples: list[int], padding: int, normalize: str) -> None:
    front_end = Mfcc(normalize=normalize)
    front_end.fit([fixed(front_end, speech(16000, seed=9))])
    batch = torch.full((len(samples), max(samples) + padding), torch.nan)
    for row, length in enumerate(samples):
        batch[row, :length] = speech(length, seed=row)
    features, lengths = front_end(batch, torch.tensor(samples))
    for row, length in enumerate(samples):
        alone, alone_length = front_end(batch[row : row + 1, :length], torch.tensor([length]))
        assert alone_length == lengths[row]
        torch.testing.assert_close(features[row, : lengths[row]], alone[0], atol=1e-5, rtol=1e-5)
        assert not features[row, lengths[row] :].any()


def test_fit_gives_training_frames_zero_mean_and_unit_variance() -> None:
    front_end = Mfcc(normalize="global")
    items = [fixed(front_end, speech(samples, seed)) for seed, samples in enumerate([16000, 30000, 8000])]
    front_end.fit(items)
    drawn = torch.cat([front_end.draw(item[None], torch.tensor([len(item)]))[0][0] for item in items])
    torch.testing.assert_close(drawn.mean(0), torch.zeros(39), atol=1e-4, rtol=0)
    torch.testing.assert_close(drawn.std(0, correction=0), torch.ones(39), atol=1e-4, rtol=0)


def test_fitted_statistics_are_saved_with_the_model() -> None:
    front_end = Mfcc(normalize="global")
    front_end.fit([fixed(front_end, speech(16000))])
    again = Mfcc(normalize="global")
    again.load_state_dict(front_end.state_dict())
    batch = speech(9000, seed=1)[None], torch.tensor([9000])
    assert torch.equal(front_end(*batch)[0], again(*batch)[0])
    assert not torch.equal(front_end(*batch)[0], Mfcc()(*batch)[0])


def test_fit_on_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="training part"):
        Mfcc(normalize="global").fit([])


def test_utterance_normalisation_is_over_the_kept_frames() -> None:
    features, lengths = Mfcc(normalize="utterance")(speech(32000)[None], torch.tensor([32000]))
    torch.testing.assert_close(features[0, : lengths[0]].mean(0), torch.zeros(39), atol=1e-5, rtol=0)
    torch.testing.assert_close(features[0, : lengths[0]].var(0, correction=0), torch.ones(39), atol=1e-4, rtol=0)


def test_the_sliding_mean_is_over_all_frames_and_taken_before_selection() -> None:
    every = fixed(Mfcc(activity="none"), speech(40000))  # 248 frames: one window
    kept = fixed(Mfcc(), speech(40000))
    torch.testing.assert_close(fixed(Mfcc(normalize="sliding"), speech(40000)), kept - every.mean(0), atol=1e-4, rtol=0)


def test_gradients_reach_the_waveform() -> None:
    waveform = speech(16000)[None].requires_grad_()
    features, _ = Mfcc(normalize="utterance")(waveform, torch.tensor([16000]))
    features.square().mean().backward()
    assert waveform.grad is not None
    assert waveform.grad.isfinite().all()


def test_float64_stays_float64() -> None:
    features = fixed(Mfcc(), speech(32000).double())
    assert features.dtype == torch.float64
    torch.testing.assert_close(fixed(Mfcc(), speech(32000)).double(), features, atol=2e-3, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("normalize", NORMALIZE)
def test_cuda_gives_what_the_cpu_gives(normalize: str) -> None:
    batch = torch.stack([speech(32000), speech(32000, seed=1)])
    lengths = torch.tensor([32000, 20000])
    features, frames = Mfcc(normalize=normalize)(batch, lengths)
    on_gpu, frames_on_gpu = Mfcc(normalize=normalize).cuda()(batch.cuda(), lengths)
    assert frames.tolist() == frames_on_gpu.tolist()
    torch.testing.assert_close(on_gpu.cpu(), features, atol=2e-3, rtol=0)
