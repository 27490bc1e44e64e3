"""The three phases: what each of them changes, what they cost, and that they do what they are for."""

from __future__ import annotations

import copy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from trees.splits import history
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.methods.adversarial_autoencoder import AdversarialAutoencoder
from unheard.methods.batch import Batch
from unheard.methods.optimizer import OptimizerSettings
from unheard.recipe import Recipe
from unheard.training.fit import fit
from unheard.training.fitted import build_front_end, build_model
from unheard.training.loop import NetworkRun
from unheard.training.split import Split

WORDS = {
    "emotion": Vocabulary("emotion", ("angry", "sad")),
    "speaker": Vocabulary("speaker", ("a", "b", "c")),
    "gender": Vocabulary("gender", ("female", "male")),
}
#: Pictures of 8 × 16, codes of 3 × 2 × 4.
SMALL = ("front_end.average=32", "front_end.frames=16", "network.frames=16", "network.channels=[4,3]",
         "terms.emotion.channels=2", "terms.emotion.hidden=[6,6]", "terms.reconstruction.channels=[4]")  # fmt: skip
PRIOR = ("terms.prior.channels=2", "terms.prior.hidden=[6,6]")
TASKS = tuple(f"terms.{name}.{key}" for name in ("speaker", "gender") for key in ("channels=2", "hidden=[6,6]"))
SGD = OptimizerSettings(name="sgd", learning_rate=0.1)


def recipe(name: str, *overrides: str) -> Recipe:
    more = (*(TASKS if "single" not in name else ()), *(PRIOR if name.startswith("aae") else ()))
    return Recipe.load(name, (*SMALL, *more, *overrides))


def made(
    name: str = "aae",
    *overrides: str,
    optimizer: OptimizerSettings = SGD,
    precision: str = "32-true",
    **settings: object,
) -> AdversarialAutoencoder:
    chosen = recipe(name, *overrides)
    words = {term: words for term, words in WORDS.items() if term in chosen.terms}
    model = build_model(chosen, build_front_end(chosen), words)
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]
    return AdversarialAutoencoder(model, optimizer, fabric, **settings)  # type: ignore[arg-type]


def batch(seed: int = 0, **labels: list[int]) -> Batch:
    features = torch.randn(8, 1, 8, 16, generator=torch.Generator().manual_seed(seed)) + 1
    columns = {"emotion": [0, 1] * 4, "speaker": [0, 1, 2, 1] * 2, "gender": [0, 1, 0, 1] * 2} | labels
    return Batch(features, torch.full((8,), 16), {name: torch.tensor(values) for name, values in columns.items()})


def watched(method: AdversarialAutoencoder, given: Batch) -> list[set[str]]:
    """The parameters and buffers that differ after each phase from what they were before it."""

    def state() -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in method.module.state_dict().items()}

    states = [state()]
    hooks = [each.optimizer.register_step_post_hook(lambda *_: states.append(state())) for each in method.optimizers]
    method.update(given)
    states.append(state())
    for hook in hooks:
        hook.remove()
    return [{name for name in now if not torch.equal(now[name], before[name])} for before, now in pairwise(states)]


def parts(names: set[str]) -> set[str]:
    """Which parts' parameters are among them, and which parts' running statistics."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    roots = {"network": "network"} | {f"terms.{term}": term for term in ("reconstruction", "prior", *WORDS)}
    return {
        part + (" statistics" if name.endswith(statistics) else "")
        for name in names
        for root, part in roots.items()
        if name.startswith(f"{root}.")
    }


PHASE_1 = {"network", "network statistics", "reconstruction", "reconstruction statistics"}


@pytest.mark.parametrize("optimizer", [SGD, OptimizerSettings(name="adamw", weight_decay=0.1)], ids=["sgd", "adamw"])
def test_what_each_phase_changes(optimizer: OptimizerSettings) -> None:
    method = made(optimizer=optimizer)
    for _ in range(2):  # a second time, with what the optimisers remember of the first
        first, told, fooled, last, end = watched(method, batch())
        assert parts(first) == PHASE_1
        assert parts(told) == {"prior"}
        assert parts(fooled) == {"network"}
        assert parts(last) == {"network", "emotion", "speaker", "gender"}
        assert not end


def test_a_batch_without_emotions_teaches_everything_else() -> None:
    method = made(optimizer=OptimizerSettings(name="adamw", weight_decay=0.1))
    watched(method, batch())
    first, told, fooled, last, _ = watched(method, batch(1, emotion=[-1] * 8))
    assert [parts(first), parts(told), parts(fooled)] == [PHASE_1, {"prior"}, {"network"}]
    assert parts(last) == {"network", "speaker", "gender"}


def test_a_batch_without_any_label_teaches_the_autoencoder_alone() -> None:
    unknown = {name: [-1] * 8 for name in WORDS}
    method = made()
    changed = watched(method, batch(**unknown))
    assert [parts(names) for names in changed] == [PHASE_1, {"prior"}, {"network"}, set()]
    assert set(method.update(batch(**unknown))) == {"reconstruction", "prior", "prior.deception"}


def test_heads_with_running_statistics_move_them_where_they_learn() -> None:
    plain = "terms.emotion={kind: classification, column: emotion, tap: latent, hidden: [6]}"
    overrides = [each for each in (*SMALL, *TASKS, *PRIOR) if "terms.emotion" not in each]
    chosen = Recipe.load("aae", [*overrides, plain])
    model = build_model(chosen, build_front_end(chosen), WORDS)
    method = AdversarialAutoencoder(model, SGD, Fabric(accelerator="cpu", devices=1))
    changed = [parts(names) for names in watched(method, batch())]
    assert ["emotion statistics" in names for names in changed] == [False, False, False, True, False]
    assert ["network statistics" in names for names in changed] == [True, False, False, False, False]


@pytest.mark.parametrize(("name", "passes"), [("aae", 3), ("aae-single", 3), ("ae", 2), ("ae-single", 2)])
def test_what_a_batch_costs(name: str, passes: int) -> None:
    method = made(name)
    seen: list[int] = []
    method.module.network.register_forward_hook(lambda *_: seen.append(1))
    losses = method.update(batch())
    assert len(seen) == passes
    assert len(method.optimizers) == (4 if passes == 3 else 2)
    assert ("prior" in losses) == (passes == 3)


def test_without_labels_missing_the_last_phase_is_multi_task_learning() -> None:
    """Its gradient is that of β L_E + (1 − β) (L_G + L_S), the means taken over the labelled."""
    method = made("aae", "terms.emotion.dropout=0", "terms.speaker.dropout=0", "terms.gender.dropout=0")
    given = batch(emotion=[0, -1, 1, -1, 0, 1, 1, 0])
    before: dict[str, torch.Tensor] = {}
    method.optimizers[2].optimizer.register_step_post_hook(
        lambda *_: before.update({name: value.clone() for name, value in method.module.state_dict().items()})
    )
    method.update(given)
    again = made("aae", "terms.emotion.dropout=0", "terms.speaker.dropout=0", "terms.gender.dropout=0").module
    again.load_state_dict(before)
    taps, _ = again.train()(given, losses=False)
    cross = {
        name: -taps[f"{name}.logits"].values.log_softmax(1)[labels >= 0, labels[labels >= 0]].mean()
        for name, labels in given.labels.items()
    }
    (0.6 * cross["emotion"] + 0.4 * (cross["gender"] + cross["speaker"])).backward()
    for name, parameter in again.named_parameters():
        now = dict(method.module.named_parameters())[name]
        if parameter.grad is not None:
            torch.testing.assert_close(now, parameter - 0.1 * parameter.grad, msg=name)


def test_terms_change_themselves_once_by_what_the_last_phase_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    method, given, seen = made(), batch(), []
    monkeypatch.setattr(method.module.term("speaker"), "after_step", lambda taps, batch: seen.append((taps, batch)))
    method.update(given)
    ((taps, learned),) = seen
    assert learned is given
    assert {"latent", "speaker.hidden", "emotion.logits"} <= set(taps)


def test_a_term_with_a_rate_of_its_own_has_it_in_its_phase() -> None:
    method = made("aae", "terms.prior.learning_rate=0.7", "terms.emotion.learning_rate=0.3")
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in method.optimizers]
    assert rates == [[0.1], [0.7], [0.1], [0.1, 0.3]]
    counts = [sum(len(group["params"]) for group in optimizer.param_groups) for optimizer in method.optimizers]
    network, decoder, prior, *heads = (
        len(list(part.parameters()))
        for part in (method.module.network, *(method.module.term(name) for name in ("reconstruction", "prior", *WORDS)))
    )
    assert counts == [network + decoder, prior, network, network + sum(heads)]


def test_the_schedule_and_the_checkpoint_have_all_optimisers() -> None:
    settings = OptimizerSettings(name="adam", learning_rate=0.1, decay=0.5)
    method, other = made(optimizer=settings), made(optimizer=settings)
    method.start_epoch(2, 10)
    assert [group["lr"] for each in method.optimizers for group in each.param_groups] == [0.025] * 4
    method.update(batch())
    other.load_state_dict(copy.deepcopy(method.state_dict()))
    for each in (method, other):
        torch.manual_seed(5)
        each.update(batch(1))
    for one, two in zip(method.module.state_dict().values(), other.module.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def learned(name: str, **settings: object) -> tuple[float, float]:
    """Share of the reconstruction error that is left, and how far codes of new pictures are from N(0, I).

    That is the squared 2-Wasserstein distance of normal distributions with their means and deviations.
    """
    torch.manual_seed(0)
    method = made(name, optimizer=OptimizerSettings(name="adam", learning_rate=0.01), **settings)  # type: ignore[arg-type]
    errors = [method.update(batch(100 + step))["reconstruction"] for step in range(80)]
    method.module.eval()
    with torch.no_grad():
        codes = torch.cat([method.module(batch(seed), losses=False)[0]["latent"].values for seed in range(10)])
    return sum(errors[-5:]) / sum(errors[:5]), float((codes.mean(0).square() + (codes.std(0) - 1).square()).mean())


def test_codes_come_nearer_to_the_prior_and_pictures_to_themselves() -> None:
    left, far = learned("ae-single")
    assert left < 0.8
    for deception in ("saturating", "non_saturating"):
        left, near = learned("aae-single", deception=deception)
        assert left < 0.8
        assert near < 0.8 * far, deception


def test_half_precision_learns() -> None:
    method = made(precision="bf16-mixed")
    assert all(np.isfinite(loss) for loss in method.update(batch()).values())
    assert all(parameter.dtype == torch.float32 for parameter in method.module.parameters())


def split(utterances: int, seed: int) -> Split:
    """Utterances whose emotion is the level of their upper rows, and whose speaker is that of the lower ones."""
    draw = np.random.default_rng(seed)
    emotions, speakers = draw.integers(0, 2, utterances), draw.integers(0, 3, utterances)
    features = [draw.standard_normal((draw.integers(10, 40), 8), dtype=np.float32) for _ in range(utterances)]
    for values, emotion, speaker in zip(features, emotions, speakers, strict=True):
        values[:, 4:] += 2 * emotion
        values[:, :4] += speaker
    table = pd.DataFrame(
        {
            "id": [f"u{index}" for index in range(utterances)],
            "emotion": np.array(["happy", "sad"])[emotions],
            "speaker": np.array(["s0", "s1", "s2"])[speakers],
            "gender": np.array(["female", "male", "male"])[speakers],
        }
    )
    return Split(table, features)


TRAIN, DEV = split(40, 0), split(12, 1)


def test_a_recipe_learns_also_when_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = recipe("aae", "optimizer.name=adam", "optimizer.learning_rate=0.01", "training.epochs=4",
                    "training.batch_size=8", "optimizer.patience=2")  # fmt: skip
    whole = fit(chosen, TRAIN, DEV, 3, tmp_path / "whole").posteriors(DEV.features)
    train_epoch = NetworkRun.train_epoch

    def interrupted(self: NetworkRun, epoch: int) -> dict[str, float]:
        losses = train_epoch(self, epoch)
        if epoch == 2:
            raise KeyboardInterrupt
        return losses

    monkeypatch.setattr(NetworkRun, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(chosen, TRAIN, DEV, 3, tmp_path / "cut")
    monkeypatch.undo()
    resumed = fit(chosen, TRAIN, DEV, 3, tmp_path / "cut")
    assert resumed.posteriors(DEV.features).tobytes() == whole.tobytes()
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    assert history(tmp_path / "whole")[-1]["dev_ua"] > 0.8
    kept = resumed.tensors()
    assert {name.split(".")[0] + "." + name.split(".")[1] for name in kept if not name.startswith("front_end")} == {
        "network.encoder",
        "terms.emotion",
    }


def test_the_pretraining_gives_encoder_and_heads_their_start(tmp_path: Path) -> None:
    others = split(30, 2)
    others = Split(others.table.drop(columns="emotion").assign(speaker=lambda table: "x" + table["speaker"]),
                   others.features)  # fmt: skip
    chosen = recipe("aae", "training.epochs=2", "training.batch_size=8",
                    *(f"stages.pretraining.{override}" for override in TASKS))  # fmt: skip
    fit(chosen, TRAIN, DEV, 0, tmp_path / "run", auxiliary=others, stages=tmp_path / "stages")
    rows = history(tmp_path / "run")
    assert {"loss.emotion", "loss.reconstruction", "loss.prior", "loss.prior.deception"} <= set(rows[0])
    (file,) = (tmp_path / "stages").glob("*/weights.safetensors")
    start, own = load_file(file), NetworkRun(chosen, TRAIN, DEV, 0, tmp_path, "cpu", others).module.state_dict()
    taken = {name for name, value in start.items() if value.shape == own[name].shape}
    assert set(start) - taken == {"terms.speaker.head.output.weight", "terms.speaker.head.output.bias",
                                  "terms.speaker.class_weight"}  # fmt: skip
    assert parts(taken) == {"network", "network statistics", "speaker", "gender"}


def test_recipes_without_speakers_or_genders_go_without_them(tmp_path: Path) -> None:
    plain = Split(TRAIN.table.drop(columns=["speaker", "gender"]), TRAIN.features)
    chosen = recipe("aae", "training.epochs=1", "training.batch_size=8")
    fit(chosen, plain, DEV, 0, tmp_path)
    (row,) = history(tmp_path)
    assert {name for name in row if name.startswith("loss.")} == {
        "loss.emotion", "loss.reconstruction", "loss.prior", "loss.prior.deception",
    }  # fmt: skip


def test_what_is_missing_is_one_sentence() -> None:
    chosen = Recipe.load("cnn")
    model = build_model(chosen, build_front_end(chosen), {"emotion": WORDS["emotion"]})
    with pytest.raises(InputError, match='needs a term with "kind: reconstruction"'):
        AdversarialAutoencoder(model, SGD, Fabric(accelerator="cpu", devices=1))
    reads = "terms.again={kind: classification, column: gender, tap: reconstruction.output}"
    chosen = recipe("aae", reads)
    model = build_model(chosen, build_front_end(chosen), WORDS | {"again": WORDS["gender"]})
    with pytest.raises(InputError, match=r'the term "again" reads "reconstruction\.output", which is not there'):
        AdversarialAutoencoder(model, SGD, Fabric(accelerator="cpu", devices=1))
