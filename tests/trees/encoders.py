"""Tiny speech encoders of every kind, and checkpoints of them as transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from unheard.recipe import Recipe
from unheard.seeds import seeded

TINY = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": 9,
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "conv_dim": [8, 8, 8], "conv_kernel": [10, 3, 2],
    "conv_stride": [5, 2, 2],
}  # fmt: skip
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
WHISPER = {
    "d_model": 16, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_layers": 1,
    "decoder_attention_heads": 2, "decoder_ffn_dim": 24, "num_mel_bins": 20, "max_source_positions": 10,
    "vocab_size": 9, "pad_token_id": 0,
}  # fmt: skip
KINDS = {
    "hubert": ("hubert", TINY),
    "hubert large": ("hubert", TINY | LARGE),
    "hubert with batch norm": ("hubert", TINY | LARGE | {"conv_pos_batch_norm": True}),
    "wav2vec2": ("wav2vec2", TINY),
    "wav2vec2 large": ("wav2vec2", TINY | LARGE),
    "wavlm": ("wavlm", TINY),
    "wavlm large": ("wavlm", TINY | LARGE),
    "data2vec": ("data2vec-audio", TINY | {"conv_pos_kernel_size": 3}),
    "whisper": ("whisper", WHISPER),
}
#: The model of transformers that a checkpoint of each kind is of.
SAVED = {
    "hubert": "HubertModel",
    "hubert large": "HubertForCTC",
    "wav2vec2": "Wav2Vec2ForPreTraining",
    "wavlm large": "WavLMModel",
    "data2vec": "Data2VecAudioModel",
    "whisper": "WhisperForConditionalGeneration",
}


def save_checkpoint(kind: str, folder: Path, seed: int = 0) -> torch.nn.Module:
    """Save a random model of a kind; its encoder."""
    import transformers

    architecture, config = KINDS[kind]
    with seeded(seed, "checkpoint"):
        whole = getattr(transformers, SAVED[kind])(transformers.AutoConfig.for_model(architecture, **config)).eval()
    whole.save_pretrained(folder)
    return whole.get_encoder() if kind == "whisper" else getattr(whole, whole.base_model_prefix, whole)


def random_encoder(name: str) -> list[str]:
    """Overrides that put a tiny random encoder where a built-in recipe asks for a pretrained one."""
    recipe = Recipe.load(name)
    parts = {"front_end": recipe.front_end, "network": recipe.network}
    chosen = [key for key, part in parts.items() if part is not None and part.settings.get("model")]
    config = json.dumps(KINDS["hubert"][1])
    return [f"{key}.{what}" for key in chosen for what in ("model=null", "architecture=hubert", f"config={config}")]
