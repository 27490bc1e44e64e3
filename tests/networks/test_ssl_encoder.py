"""Speech encoders as networks: padding, freezing, loading, and that nothing is loaded wrongly or from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trees.encoders import KINDS, LARGE, TINY, WHISPER
from unheard.errors import InputError
from unheard.frontends.waveform import standardized
from unheard.networks.network import Tap
from unheard.networks.ssl_encoder import LayerSum, SslEncoder
from unheard.seeds import seeded

transformers = pytest.importorskip("transformers")

every_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind: str, **options) -> SslEncoder:
    architecture, config = KINDS[kind]
    with seeded(0, kind):
        made = SslEncoder((), architecture=architecture, config=config, **options)
        for weight in made.parameters():  # first weights hardly tell one frame from another
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=1.2 / weight[0].numel() ** 0.5)
        for norm in made.modules():
            if isinstance(norm, torch.nn.BatchNorm1d):
                norm.running_mean.normal_()
                torch.nn.init.normal_(norm.bias)
        return made


@pytest.fixture(scope="module")
def networks() -> dict[str, SslEncoder]:
    return {kind: network(kind).eval() for kind in KINDS}


def sound(*lengths: int, seed: int = 0) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [0.1 + 0.3 * torch.randn(length, generator=draw) for length in lengths]


def padded(items: list[torch.Tensor], more: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """What lies behind an item's end is as wrong as can be."""
    batch = torch.full((len(items), max(map(len, items)) + more), 1e3)
    for row, item in zip(batch, items, strict=True):
        row[: len(item)] = item
    return batch, torch.tensor([len(item) for item in items])


@every_kind
@settings(max_examples=8)
@given(lengths=st.lists(st.integers(1, 700), min_size=1, max_size=5), seed=st.integers(0, 99), more=st.integers(0, 99))
@torch.no_grad()
def test_a_batch_gives_what_single_utterances_give(networks, kind: str, lengths: list[int], seed: int, more: int):
    items = sound(*lengths, seed=seed)
    whole = networks[kind]
    scale = 6400 // 700 if kind == "whisper" else 1  # windows of Whisper are longer than a few frames of the others
    items = [item.repeat(scale) for item in items]
    together = whole(*padded(items, more))
    for row, item in enumerate(items):
        alone = whole(*padded([item]))
        close = {"atol": 2e-5, "rtol": 1e-4}
        torch.testing.assert_close(together["embedding"].values[row], alone["embedding"].values[0], **close)
        for tap in ("local", "frames"):
            count = int(alone[tap].lengths[0])
            assert int(together[tap].lengths[row]) == count
            torch.testing.assert_close(together[tap].values[row, :count], alone[tap].values[0, :count], **close)


@every_kind
@torch.no_grad()
def test_taps_are_as_wide_and_as_long_as_they_say(networks, kind: str):
    taps = networks[kind](*padded(sound(640, 300)))
    assert {name: tap.values.shape[-1] for name, tap in taps.items()} == networks[kind].taps
    frames = taps["frames"]
    assert frames.lengths.tolist() == ([2, 1] if kind == "whisper" else [31, 14])
    assert frames.values.shape[1] >= 2
    mean = frames.values[1, : int(frames.lengths[1])].mean(0)
    torch.testing.assert_close(taps["embedding"].values[1], mean, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(taps["embedding"].values, frames.per_utterance())


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({}, 94_371_712),
        (
            LARGE
            | {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
            315_438_720,
        ),
    ],
    ids=["base", "large"],
)
def test_the_counts_are_those_of_the_paper(config: dict, count: int):
    with torch.device("meta"):
        made = SslEncoder((), architecture="hubert", config=config)
    assert sum(weight.numel() for weight in made.parameters()) == count
    assert int(taps_of_three_seconds(made)) == 149


def taps_of_three_seconds(made: SslEncoder) -> torch.Tensor:
    from unheard.frontends.speech_encoder import frame_counts

    return frame_counts(torch.tensor(48000), made.encoder.strides)


@torch.no_grad()
def test_utterances_are_normalised_as_the_model_was_pretrained(networks):
    items = sound(500, 300)

    def heard(made: SslEncoder) -> torch.Tensor:
        inputs: list[torch.Tensor] = []
        handle = made.encoder.model.feature_extractor.register_forward_pre_hook(
            lambda _, given: inputs.append(given[0])
        )
        made(*padded(items))
        handle.remove()
        return next(batch[-1, :300] for batch in inputs if batch.shape[1] == 300 or len(batch) == 2)

    (own,) = standardized(items[1][None], torch.tensor([300]))
    for kind, normalised in (("hubert", False), ("hubert large", True), ("wavlm", False), ("data2vec", True)):
        torch.testing.assert_close(heard(networks[kind]), own if normalised else items[1])
        torch.testing.assert_close(
            heard(network(kind, normalize=not normalised).eval()), items[1] if normalised else own
        )


@every_kind
def test_nothing_is_random_in_training_unless_asked_for(networks, kind: str):
    if kind == "hubert with batch norm":
        pytest.skip("statistics of the batch differ in training")
    batch = padded(sound(600, 600))
    with torch.no_grad():
        used = networks[kind](*batch)["frames"].values
        trained = networks[kind].train()(*batch)["frames"].values
    networks[kind].eval()
    assert torch.equal(used, trained)


@pytest.mark.parametrize("option", ["dropout", "layerdrop", "mask_time_prob"])
@pytest.mark.parametrize("kind", ["hubert", "hubert large", "wavlm", "data2vec"])
def test_what_is_dropped_is_drawn_by_torch_and_in_training_only(kind: str, option: str):
    made = network(kind, **{option: 0.5})
    batch = padded(sound(600, 600))

    def frames(seed: int) -> torch.Tensor:
        with seeded(seed, "draw"), torch.no_grad():
            values: torch.Tensor = made(*batch)["frames"].values
            return values

    made.train()
    assert torch.equal(frames(1), frames(1))
    assert any(not torch.equal(frames(1), frames(seed)) for seed in range(2, 6))
    made.eval()
    assert torch.equal(frames(1), frames(2))


def test_masked_spans_have_the_share_and_length_asked_for():
    made = network("hubert", mask_time_prob=0.3)
    made.encoder.model.config.mask_time_length = 4
    with seeded(0, "spans"):
        spans = made.encoder._spans(200, 500, torch.device("cpu"))
    assert 0.2 < float(spans.float().mean()) < 0.3  # where spans overlap it is less
    rows = ("".join("x" if one else " " for one in row) + "xxxx" for row in spans.tolist())
    assert min(len(run) for row in rows for run in row.split()) == 4


@pytest.mark.parametrize("kind", ["hubert", "hubert large", "wavlm", "whisper"])
@torch.no_grad()
def test_the_weighted_sum_is_one_of_all_layers(kind: str):
    made = network(kind, layers="weighted").eval()
    batch = padded(sound(640, 300))
    layers = made.encoder(*batch, every_layer=True).layers
    assert len(layers) == 4
    last = made.encoder(*batch).layers
    assert len(last) == 1
    torch.testing.assert_close(layers[-1], last[0])
    torch.testing.assert_close(made(*batch)["frames"].values, torch.stack(layers).mean(0), atol=1e-5, rtol=1e-4)
    made.sum.weight.copy_(torch.tensor([0.0, 0.0, 50.0, 0.0]))
    torch.testing.assert_close(made(*batch)["frames"].values, layers[2])


@pytest.mark.parametrize("kind", ["hubert large", "wavlm large", "wav2vec2 large"])
@torch.no_grad()
def test_the_last_layer_has_the_final_norm(kind: str):
    """transformers 5 gives the last hidden state before it."""
    made = network(kind).eval()
    norm = made.encoder.model.encoder.layer_norm
    norm.weight.normal_(generator=torch.Generator().manual_seed(3))
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda module, arguments, output: seen.append(output))
    layers = made.encoder(*padded(sound(600)), every_layer=True).layers
    torch.testing.assert_close(layers[-1], seen[-1])


def test_a_layer_sum_learns_at_its_own_rate():
    assert LayerSum(4, 0.1).optimizer_options == {"lr": 0.1}
    assert LayerSum(4).optimizer_options == {}


def learned(made: SslEncoder) -> set[str]:
    """The parts that get a gradient."""
    made.train()
    taps = made(*padded(sound(600, 400)))
    sum(tap.values.square().sum() for tap in taps.values() if tap.values.requires_grad).backward()
    names = {name.removeprefix("encoder.model.") for name, weight in made.named_parameters() if weight.grad is not None}
    return {re.sub(r"(layers\.\d).*", r"\1", name) for name in names}


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("kind", ["hubert", "hubert large", "wavlm", "data2vec", "whisper"])
def test_what_is_frozen_learns_nothing_and_the_rest_does(kind: str, checkpointing: bool):
    free = learned(network(kind, checkpointing=checkpointing))
    front = {"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"} if kind == "whisper" else {
        part for part in free if part.startswith("feature_extractor")
    }  # fmt: skip
    assert front
    extractor = learned(network(kind, freeze="extractor", checkpointing=checkpointing))
    assert extractor == free - front
    lowest = learned(network(kind, freeze=2, checkpointing=checkpointing))
    prefix = "" if kind == "whisper" else "encoder."
    final = {"layer_norm.weight", "layer_norm.bias"} if kind in ("hubert large", "whisper") else set()
    assert lowest == {f"{prefix}{part}" for part in {"layers.2"} | final}
    whole = network(kind, freeze="all", checkpointing=checkpointing).train()
    assert not any(tap.values.requires_grad for tap in whole(*padded(sound(600))).values())
    assert not whole.encoder.model.training


def test_what_is_frozen_stays_in_evaluation_mode():
    made = network("hubert", freeze=1, dropout=0.5).train()
    model = made.encoder.model
    assert not model.feature_extractor.training
    assert [layer.training for layer in model.encoder.layers] == [False, True, True]


@pytest.mark.parametrize("layers", ["last", "weighted"])
@pytest.mark.parametrize("kind", ["hubert", "hubert large", "wavlm large", "data2vec", "whisper"])
def test_checkpointing_changes_no_gradient(kind: str, layers: str):
    gradients = []
    for checkpointing in (False, True):
        made = network(kind, layers=layers, checkpointing=checkpointing).train()
        made(*padded(sound(600, 400)))["embedding"].values.square().sum().backward()
        gradients.append({name: weight.grad for name, weight in made.named_parameters() if weight.grad is not None})
    plain, again = gradients
    assert plain.keys() == again.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(again[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("kind", ["hubert", "hubert large", "wavlm large", "whisper"])
def test_bfloat16_is_close(kind: str):
    made = network(kind, layers="weighted").eval()
    batch = padded(sound(640, 300))
    with torch.no_grad():
        exact = made(*batch)["embedding"].values
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = made(*batch)["embedding"].values
    assert torch.nn.functional.cosine_similarity(exact, rough.float()).min() > 0.99


def test_whisper_hears_what_its_own_feature_extractor_gives(networks):
    made = networks["whisper"]
    config = made.encoder.model.config
    extractor = transformers.WhisperFeatureExtractor(feature_size=config.num_mel_bins)
    (item,) = sound(2500)
    options = {"max_length": 3200, "sampling_rate": 16000, "return_tensors": "np"}
    given = torch.from_numpy(extractor(item.numpy(), **options)["input_features"])
    assert given.shape[2] == 20
    with torch.no_grad():
        expected = made.encoder.model(given).last_hidden_state
        found = made(*padded([item]))["frames"]
    assert found.lengths.tolist() == [8]
    torch.testing.assert_close(found.values, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, 'which encoder? give model, such as "facebook/hubert-base-ls960", or architecture'),
        ({"architecture": "huberd"}, 'there is no architecture "huberd"; did you mean "hubert"?'),
        ({"architecture": "hubert", "config": {"hidden_sise": 3}}, 'no key "hidden_sise"; did you mean "hidden_size"?'),
        ({"architecture": "hubert", "config": {"conv_dim": [8, 8]}}, "transformers makes no hubert of this config"),
        ({"architecture": "wav2vec2", "config": TINY | {"add_adapter": True}}, "with an adapter behind them"),
        ({"model": "nobody/nothing", "config": {}}, "architecture and config come from nobody/nothing"),
        ({"architecture": "hubert", "config": TINY, "freeze": 4}, "freeze: the encoder has 3 layers, and 4 cannot"),
        ({"architecture": "hubert", "config": TINY, "layers": "weighted", "layerdrop": 0.1}, "layerdrop: a weighted"),
        ({"architecture": "whisper", "config": WHISPER, "mask_time_prob": 0.1}, "mask_time_prob: this encoder has no"),
    ],
)
def test_wrong_settings_get_one_sentence(options: dict, said: str):
    with pytest.raises(InputError) as problem:
        SslEncoder((), **options)
    assert said in str(problem.value)


def test_transformers_waits_until_an_encoder_is_made():
    code = (
        "import sys, unheard.networks.ssl_encoder, unheard.frontends.ssl_features; print('transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_taps_are_taps(networks):
    assert all(isinstance(tap, Tap) for tap in networks["hubert"](*padded(sound(600))).values())
