import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unheard.errors import InputError
from unheard.frontends.framing import frame_counts
from unheard.frontends.kaldi import FRAME, SHIFT, KaldiMfcc


def noise(samples: int, seed: int = 0, deviation: float = 0.03) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, deviation, (1, samples)).astype(np.float32))


def tone() -> torch.Tensor:
    n = np.arange(16000)
    samples = np.round(3000 * np.sin(2 * np.pi * 440 * n / 16000) + 1500 * np.sin(2 * np.pi * 1234 * n / 16000))
    return torch.from_numpy(samples / 32768).float()[None]


def cepstra(waveform: torch.Tensor, **settings: object) -> torch.Tensor:
    return KaldiMfcc(**settings)(waveform, torch.tensor([waveform.shape[1]]))[0][0]


def kaldi_native(waveform: torch.Tensor, coefficients: int, bands: int, use_energy: bool) -> np.ndarray:
    reference = pytest.importorskip("kaldi_native_fbank")
    options = reference.MfccOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = bands
    options.num_ceps = coefficients
    options.use_energy = use_energy
    options.energy_floor = 0
    mfcc = reference.OnlineMfcc(options)
    mfcc.accept_waveform(16000, (waveform[0] * 32768).numpy())
    mfcc.input_finished()
    return np.stack([mfcc.get_frame(i) for i in range(mfcc.num_frames_ready)])


def test_two_tones_give_the_known_cepstra() -> None:
    first = [21.5316, 46.7405, -5.4559, -65.9404, -21.8326, 19.0694, -50.8694]
    first += [-119.6675, -93.7431, 8.6777, 87.4243, 57.3782, 1.2285]
    features = cepstra(tone())
    assert features.shape == (98, 13)
    np.testing.assert_allclose(features[0], first, atol=1e-2)
    np.testing.assert_allclose(cepstra(tone(), use_energy=False)[0], [50.4995, *first[1:]], atol=1e-2)


@pytest.mark.parametrize(("coefficients", "bands"), [(13, 23), (20, 40), (5, 5)])
@pytest.mark.parametrize("use_energy", [True, False])
def test_noise_gives_what_kaldi_gives(coefficients: int, bands: int, use_energy: bool) -> None:
    waveform = noise(20000) + 0.1  # also away from zero mean
    expected = kaldi_native(waveform, coefficients, bands, use_energy)
    features = cepstra(waveform, coefficients=coefficients, bands=bands, use_energy=use_energy)
    np.testing.assert_allclose(features, expected, atol=1e-3)


@given(st.integers(0, 5000))
@settings(max_examples=30, deadline=None)
def test_only_whole_frames_count(samples: int) -> None:
    expected = 1 + (samples - 400) // 160 if samples >= 400 else 1
    assert frame_counts(torch.tensor([samples]), FRAME, SHIFT).item() == expected
    features, energy = KaldiMfcc()(noise(samples), torch.tensor([samples]))
    assert features.shape[1] == energy.shape[1] >= expected
    assert features[:, :expected].isfinite().all()


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=5), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_padding_never_changes_an_item(samples: list[int], padding: int) -> None:
    batch = torch.full((len(samples), max(samples) + padding), math.nan)
    for row, length in enumerate(samples):
        batch[row, :length] = noise(length, seed=row)
    together, energies = KaldiMfcc()(batch, torch.tensor(samples))
    for row, length in enumerate(samples):
        frames = int(frame_counts(torch.tensor(length), FRAME, SHIFT))
        alone, energy = KaldiMfcc()(batch[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[row, :frames], alone[0, :frames], atol=1e-5, rtol=0)
        torch.testing.assert_close(energies[row, :frames], energy[0, :frames], atol=1e-5, rtol=0)


def test_a_recording_longer_than_a_chunk_gives_what_its_parts_give() -> None:
    waveform = noise(160 * 1300)
    whole = cepstra(waveform)
    for start in (0, 511, 512, 900):
        part = cepstra(waveform[:, 160 * start : 160 * start + 1600])
        torch.testing.assert_close(whole[start : start + 8], part[:8], atol=1e-5, rtol=0)


def test_many_short_items_give_what_each_gives() -> None:
    batch = noise(900 * 700).view(700, 900)
    together = KaldiMfcc()(batch, torch.full((700,), 900))[0]
    for row in (0, 350, 699):
        torch.testing.assert_close(together[row, :4], cepstra(batch[row : row + 1])[:4], atol=1e-5, rtol=0)


def test_gain_shifts_the_log_energy_alone() -> None:
    # The lifted cosine transform leaves a constant in the log spectrum to the zeroth cepstrum only.
    soft, loud = cepstra(noise(4000)), cepstra(noise(4000) * 4)
    torch.testing.assert_close(loud[:, 0] - soft[:, 0], torch.full((23,), 2 * math.log(4)), atol=1e-4, rtol=0)
    torch.testing.assert_close(loud[:, 1:], soft[:, 1:], atol=1e-3, rtol=0)


def test_float32_is_close_to_float64() -> None:
    exact = cepstra(noise(8000).double())
    assert exact.dtype == torch.float64
    torch.testing.assert_close(cepstra(noise(8000)).double(), exact, atol=5e-4, rtol=0)


def test_half_precision_around_it_changes_nothing() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        inside = cepstra(noise(8000))
    assert torch.equal(inside, cepstra(noise(8000)))


def test_digital_silence_sits_at_the_floor() -> None:
    features, energy = KaldiMfcc()(torch.zeros(1, 1600), torch.tensor([1600]))
    assert features.isfinite().all()
    torch.testing.assert_close(energy, torch.full((1, 8), math.log(2**-23)))


def test_gradient_is_that_of_finite_differences() -> None:
    waveform = noise(900).double().requires_grad_()
    direction, mfcc, length = noise(900, seed=1).double(), KaldiMfcc(), torch.tensor([900])
    weights = torch.linspace(-1, 1, 13, dtype=torch.float64)

    def value(x: torch.Tensor) -> torch.Tensor:
        return (mfcc(x, length)[0] * weights).sum()

    (gradient,) = torch.autograd.grad(value(waveform), waveform)
    step = 1e-6 * direction
    with torch.no_grad():
        difference = (value(waveform + step) - value(waveform - step)) / 2e-6
    torch.testing.assert_close((gradient * direction).sum(), difference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("waveform", [torch.zeros(1, 2000), noise(2000), torch.full((1, 2000), 0.5)])
def test_gradient_is_finite(waveform: torch.Tensor) -> None:
    waveform = waveform.clone().requires_grad_()
    cepstra(waveform).sum().backward()
    assert waveform.grad is not None
    assert waveform.grad.isfinite().all()


def test_more_cepstra_than_bands_or_empty_bands_are_refused() -> None:
    with pytest.raises(InputError, match="30 cepstra"):
        KaldiMfcc(coefficients=30)
    with pytest.raises(InputError, match="200 mel bands"):
        KaldiMfcc(bands=200)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_what_the_cpu_gives() -> None:
    waveforms = torch.cat([noise(48000), noise(48000, seed=1)])
    lengths = torch.tensor([48000, 30000])
    features, energy = KaldiMfcc()(waveforms, lengths)
    on_gpu, energy_on_gpu = KaldiMfcc().cuda()(waveforms.cuda(), lengths.cuda())
    for row, frames in enumerate(frame_counts(lengths, FRAME, SHIFT).tolist()):
        torch.testing.assert_close(on_gpu[row, :frames].cpu(), features[row, :frames], atol=1e-3, rtol=0)
        torch.testing.assert_close(energy_on_gpu[row, :frames].cpu(), energy[row, :frames], atol=1e-4, rtol=0)
