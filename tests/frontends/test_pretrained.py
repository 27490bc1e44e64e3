"""Checkpoints: what transformers saved is taken whole or not at all, from this machine, and nothing in it is run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from trees.encoders import SAVED, save_checkpoint
from unheard.errors import InputError
from unheard.networks.ssl_encoder import SslEncoder

pytest.importorskip("transformers")

HEADS = {
    "HubertForCTC": "lm_head",
    "Wav2Vec2ForPreTraining": "project_hid",
    "WhisperForConditionalGeneration": "decoder",
}


@pytest.mark.parametrize("kind", SAVED)
def test_what_transformers_saved_is_loaded_whole(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    theirs = save_checkpoint(kind, tmp_path)
    made = SslEncoder((), model=str(tmp_path)).eval()
    expected, found = theirs.state_dict(), made.encoder.model.state_dict()
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
    assert not any(value.is_meta for value in (*made.parameters(), *made.buffers()))
    left_out = HEADS.get(SAVED[kind])
    assert (left_out in caplog.text) if left_out else not caplog.text


def test_old_checkpoints_are_loaded_without_running_them(tmp_path: Path):
    """A pickled file, and the names that weight normalisation had before PyTorch 2."""
    theirs = save_checkpoint("hubert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    new, old = ("parametrizations.weight.original0", "parametrizations.weight.original1"), ("weight_g", "weight_v")
    weights = theirs.state_dict()
    for theirs_now, before in zip(new, old, strict=True):
        weights = {name.replace(theirs_now, before): value.half() for name, value in weights.items()}
    assert any(name.endswith("conv.weight_g") for name in weights)
    torch.save(weights, tmp_path / "pytorch_model.bin")
    made = SslEncoder((), model=str(tmp_path))
    for name, value in made.encoder.model.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, theirs.state_dict()[name].half().float(), msg=name)


class Trap:
    def __reduce__(self):
        return (print, ("run!",))


def change(folder: Path, what: str) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    name = "encoder.layers.1.attention.k_proj.bias"
    if what == "missing":
        del weights[name]
    elif what == "left over":
        weights["encoder.layers.9.attention.k_proj.bias"] = weights[name].clone()
    elif what == "shape":
        weights[name] = torch.zeros(3)
    elif what == "renamed":
        weights[name.replace("k_proj", "key")] = weights.pop(name)
    elif what == "fewer layers":
        config["num_hidden_layers"] = 2
    elif what == "other model":
        config["model_type"] = "bert"
    elif what == "strange sizes":
        config["num_attention_heads"] = 5
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    if what == "not json":
        (folder / "config.json").write_text("{")
    elif what == "broken":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:500])
    elif what == "no weights":
        (folder / "model.safetensors").unlink()
    elif what == "no config":
        (folder / "config.json").unlink()
    elif what == "code":
        (folder / "model.safetensors").unlink()
        torch.save({"x": Trap()}, folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", 'the tensor "encoder.layers.1.attention.k_proj.bias" is missing'),
        ("left over", 'the tensor "encoder.layers.9.attention.k_proj.bias" belongs to no part of this hubert encoder'),
        ("shape", r'"encoder.layers.1.attention.k_proj.bias" should have the shape \(16,\), and it has \(3,\)'),
        ("renamed", 'the tensor "encoder.layers.1.attention.k_proj.bias" is missing'),
        ("fewer layers", r'the tensor "encoder.layers.2\..*" belongs to no part of this hubert encoder'),
        ("other model", 'the model_type "bert" is no speech encoder that is known here; did you mean "hubert"'),
        ("strange sizes", "transformers makes no hubert of this configuration"),
        ("not json", "config.json: this is not JSON"),
        ("broken", "model.safetensors: this is not a whole file of tensors"),
        ("no weights", r"there are no weights; one of model.safetensors and pytorch_model.bin must lie beside"),
        ("no config", "there is no config.json, so this is neither a checkpoint nor a recognizer"),
        ("code", "pytorch_model.bin: this is not a whole file of tensors and nothing else"),
    ],
)
def test_a_checkpoint_that_does_not_fit_gets_one_sentence(tmp_path: Path, capsys, what: str, said: str):
    save_checkpoint("hubert", tmp_path)
    change(tmp_path, what)
    with pytest.raises(InputError, match=said):
        SslEncoder((), model=str(tmp_path))
    assert "run!" not in capsys.readouterr().out


def test_a_checkpoint_cannot_name_code_to_run(tmp_path: Path):
    save_checkpoint("hubert", tmp_path)
    (tmp_path / "modeling.py").write_text("raise SystemExit('run!')")
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"auto_map": {"AutoModel": "modeling.Model"}, "attn_implementation": "someone/kernels"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    made = SslEncoder((), model=str(tmp_path))
    assert not {"auto_map", "attn_implementation"} & set(made.encoder.config)


@pytest.mark.parametrize("name", ["nobody/nothing", "../nothing", "no folder/of/that name", "hubert"])
def test_an_absent_model_is_one_sentence_and_nothing_is_fetched(name: str, tmp_path: Path, monkeypatch):
    import socket

    import huggingface_hub.constants

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="nothing is fetched unasked: `hf download"):
        SslEncoder((), model=name)


@pytest.mark.parametrize("options", [{"architecture": "hubert"}, {"model": "facebook/hubert-base-ls960"}])
def test_without_the_extra_it_says_what_to_install(options: dict, monkeypatch: pytest.MonkeyPatch):
    for name in ("transformers", "huggingface_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'unheard\[ssl\]'"):
        SslEncoder((), **options)


def test_a_model_in_the_cache_is_found_by_its_name(tmp_path: Path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--somebody--small" / "snapshots" / ("a" * 40)
    theirs = save_checkpoint("hubert", kept)
    (kept.parents[1] / "refs").mkdir()
    (kept.parents[1] / "refs" / "main").write_text("a" * 40)
    made = SslEncoder((), model="somebody/small")
    assert torch.equal(made.encoder.model.masked_spec_embed, theirs.masked_spec_embed)
