"""What a frozen encoder makes of utterances: the same as the network, kept under the weights that made it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trees.encoders import KINDS, save_checkpoint
from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.frontends.ssl_features import SslFeatures
from unheard.frontends.store import FeatureStore
from unheard.networks.ssl_encoder import SslEncoder
from unheard.recipe import Recipe

pytest.importorskip("transformers")


def sound(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    samples = torch.full((len(lengths), max(lengths)), 1e3)
    for row, length in enumerate(lengths):
        samples[row, :length] = 0.3 * torch.randn(length, generator=torch.Generator().manual_seed(row))
    return samples, torch.tensor(lengths)


@pytest.mark.parametrize("kind", ["hubert", "hubert large", "whisper"])
def test_features_are_what_the_network_gives(kind: str, tmp_path: Path):
    save_checkpoint(kind, tmp_path)
    network = SslEncoder((), model=str(tmp_path), layers="weighted").eval()
    frames, means = (SslFeatures(model=str(tmp_path), keep=keep) for keep in ("frames", "means"))
    batch = sound(900, 400)
    with torch.no_grad():
        layers = network.encoder(*batch, every_layer=True)
        taps = network(*batch)
    kept, lengths = frames.train()(*batch)
    assert torch.equal(lengths, layers.lengths)
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(kept[row, :length], layers.layers[-1][row, :length])
        assert not kept[row, length:].any()
    kept, lengths = means(*batch)
    assert lengths.tolist() == [4, 4]
    torch.testing.assert_close(kept.mean(1), taps["embedding"].values, atol=1e-5, rtol=1e-4)
    for row in range(2):
        alone, _ = means(batch[0][row : row + 1, : int(batch[1][row])], batch[1][row : row + 1])
        torch.testing.assert_close(kept[row], alone[0], atol=1e-5, rtol=1e-4)
    assert not any(weight.requires_grad for weight in means.parameters())


def test_features_are_kept_under_the_weights_that_made_them(tmp_path: Path, tiny_corpus: Corpus, cache: Path):
    folders = [tmp_path / name for name in ("one", "same", "other")]
    for seed, folder in zip((0, 0, 1), folders, strict=True):
        save_checkpoint("hubert", folder, seed)
    store, corpus = FeatureStore(cache), tiny_corpus.with_digests()

    def kept(folder: Path) -> list[torch.Tensor]:
        settings = Recipe.load("hubert-frozen", [f"front_end.model={folder}"]).front_end.settings
        return [torch.from_numpy(values.copy()) for values in store.features("ssl_features", settings, corpus)]

    one, same, other = map(kept, folders)
    assert len(list(cache.iterdir())) == 2
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert one[0].shape == (4, 16)


def test_a_random_encoder_is_the_same_wherever_it_is_made():
    architecture, config = KINDS["hubert"]
    made = [SslFeatures(architecture=architecture, config=config) for _ in range(2)]
    assert made[0].content == made[1].content
    config = config | {"num_hidden_layers": 2}
    assert SslFeatures(architecture=architecture, config=config).content != made[0].content


def test_no_encoder_gets_one_sentence():
    with pytest.raises(InputError, match="which encoder"):
        SslFeatures()
