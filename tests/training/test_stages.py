"""Stages: what they learn from, what judges them, who shares them, and that an interruption changes nothing."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from trees.splits import DEV, TRAIN, history, recipe, split
from unheard.errors import InputError
from unheard.training.batches import Items
from unheard.training.fit import fit
from unheard.training.loop import NetworkRun
from unheard.training.split import Split
from unheard.training.stages import StageRun, held_out, pretrained, stage_key, stage_scores

SPEAKERS = "{speaker: {column: speaker, hidden: [8], dropout: 0}}"
STAGE = f"stages=[{{name: voices, data: auxiliary, terms: {SPEAKERS}, training: {{epochs: 3, batch_size: 8}}}}]"


def further(utterances: int = 40, seed: int = 5) -> Split:
    """Auxiliary utterances of other speakers, without emotions."""
    drawn = split(utterances, seed)
    table = drawn.table.drop(columns="emotion").assign(
        id=[f"x{row}" for row in range(utterances)], speaker="x" + drawn.table["speaker"]
    )
    return Split(table, drawn.features)


AUXILIARY = further()


def weights(store) -> dict[str, dict[str, torch.Tensor]]:
    return {file.parent.name: load_file(file) for file in sorted(store.glob("*/weights.safetensors"))}


def test_training_starts_from_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(NetworkRun, "train", lambda self: None)
    monkeypatch.setattr(NetworkRun, "take_chosen", lambda self: None)
    chosen = recipe("tdnn-mtl", STAGE, "terms.speaker.hidden=[8]", "training.select=last")
    run = fit(chosen, TRAIN, DEV, 0, tmp_path / "run", auxiliary=AUXILIARY, stages=tmp_path / "stages")
    ((key, learned),) = weights(tmp_path / "stages").items()
    assert len(key) == 16
    own = run.model.state_dict()
    same = {name for name, value in learned.items() if torch.equal(own[name].cpu(), value)}
    assert same == set(learned)  # network and speaker term: both have three speakers
    fresh = NetworkRun(chosen, TRAIN, DEV, 0, tmp_path / "fresh", "cpu").module.state_dict()
    assert all(torch.equal(own[name], fresh[name]) for name in own if name.startswith("terms.emotion."))


def test_a_term_of_other_classes_begins_its_last_layer_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(NetworkRun, "train", lambda self: None)
    monkeypatch.setattr(NetworkRun, "take_chosen", lambda self: None)
    more = replace(AUXILIARY, table=AUXILIARY.table.assign(speaker=[f"x{row % 7}" for row in range(len(AUXILIARY))]))
    chosen = recipe("tdnn-mtl", STAGE, "terms.speaker.hidden=[8]")
    run = fit(chosen, TRAIN, DEV, 0, tmp_path, auxiliary=more)
    (learned,) = weights(tmp_path / "stages").values()
    own = run.model.state_dict()
    other = {name for name, value in learned.items() if own[name].shape != value.shape}
    assert other
    assert all(name.startswith("terms.speaker.") for name in other)
    assert all(torch.equal(own[name], learned[name]) for name in set(learned) - other)


def test_nothing_to_start_from_is_an_error(tmp_path):
    strangers = {"network.elsewhere": torch.zeros(1), "terms.emotion.head.output.weight": torch.zeros(99)}
    with pytest.raises(InputError, match="none of the 2 tensors of the stage before has the name and the shape"):
        NetworkRun(recipe("tdnn"), TRAIN, DEV, 0, tmp_path, "cpu", start=strangers)


def test_a_stage_is_judged_by_what_it_does_not_learn(tmp_path):
    part = recipe("tdnn", STAGE)
    run = StageRun(part.of_stage(part.stages[0]), AUXILIARY, 0, tmp_path, "cpu")
    assert run.task == "speaker"
    assert len(run.items) + len(run.held_out) == len(AUXILIARY)
    assert not set(run.items.owner) & set(run.held_out.owner)
    run.train()
    rows = history(tmp_path)
    assert all(0 <= row["held_out_ua"] <= 1 and "dev_ua" not in row for row in rows)
    assert run.best_score == max(row["held_out_ua"] for row in rows)


def test_the_scores_of_a_stage_are_those_of_the_epoch_that_is_kept(tmp_path):
    chosen = recipe("tdnn", STAGE, "training.epochs=1")
    assert stage_scores(chosen, TRAIN, further(), 3, tmp_path) == {}  # it is not done
    pretrained(chosen, TRAIN, further(), 3, tmp_path, "cpu")
    (folder,) = tmp_path.iterdir()
    epochs = history(folder)
    best = max(epoch["held_out_ua"] for epoch in epochs)
    kept = next(epoch for epoch in epochs if epoch["held_out_ua"] == best)
    expected = {"stage_voices_wa": kept["held_out_wa"], "stage_voices_ua": best}
    assert stage_scores(chosen, TRAIN, further(), 3, tmp_path) == expected
    assert stage_scores(chosen, TRAIN, None, 3, tmp_path) == {}
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in [*lines, lines[epochs.index(kept)]]))
    assert stage_scores(chosen, TRAIN, further(), 3, tmp_path) == expected


def test_a_stage_without_classes_is_judged_by_its_loss(tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0])
    part = recipe("tdnn", STAGE)
    stage = part.of_stage(part.stages[0])
    monkeypatch.setattr(StageRun, "_loss", lambda self: next(losses))
    run = StageRun(stage, AUXILIARY, 0, tmp_path, "cpu")
    run.task = None
    run.train()
    assert run.best_score == -1.0
    monkeypatch.undo()
    assert StageRun(stage, AUXILIARY, 0, tmp_path / "again", "cpu")._loss() > 0
    run.module.train()
    assert run._loss() == run._loss()  # in evaluation mode, without dropout


def pieces_of(counts: list[int]) -> Items:
    owner = np.repeat(np.arange(len(counts)), counts)
    return Items([], {}, owner, np.zeros_like(owner), np.ones_like(owner))


def test_the_last_piece_of_each_utterance_is_kept_apart():
    kept = held_out(pieces_of([1, 3, 2, 1, 2]), np.array([0, 1, 1, 0, -1]), 0)
    assert kept.tolist() == [False, False, False, True, False, True, False, False, False]


def test_otherwise_a_share_of_those_whose_class_has_others():
    labels = np.array([0, 1, 1, -1, *[2] * 36])
    kept = np.flatnonzero(held_out(pieces_of([1] * 40), labels, 0))
    assert len(kept) == 2
    assert not {0, 3} & set(kept)
    assert not held_out(pieces_of([1, 1]), np.array([0, 1]), 0).any()
    assert held_out(pieces_of([1, 2, 1]), None, 0).sum() == 1


def test_the_key_changes_with_whatever_changes_the_weights():
    chosen = recipe("tdnn", STAGE)
    part = chosen.of_stage(chosen.stages[0])
    key = stage_key(part, AUXILIARY, 0)
    other = recipe("tdnn", STAGE, "name=other", "about=other", "training.epochs=7", "terms.emotion.weight=2",
                   "optimizer.learning_rate=3")  # fmt: skip
    same = other.of_stage(other.stages[0]).model_copy(update={"optimizer": part.optimizer})
    assert stage_key(same, AUXILIARY, 0) == key
    emotional = replace(AUXILIARY, table=AUXILIARY.table.assign(emotion="sad", gender="female"))
    assert stage_key(part, emotional, 0) == key  # these columns are not learned
    relabelled = replace(
        AUXILIARY, table=AUXILIARY.table.assign(speaker=AUXILIARY.table["speaker"].iloc[::-1].tolist())
    )
    backwards = replace(AUXILIARY, table=AUXILIARY.table.iloc[::-1])
    audio = AUXILIARY.table.assign(digest=AUXILIARY.table["id"], start=0.0)
    moved = audio.assign(start=1.0)
    keys = [
        key,
        stage_key(part, AUXILIARY, 1),
        stage_key(part, AUXILIARY, 0, "before"),
        stage_key(part, relabelled, 0),
        stage_key(part, backwards, 0),
        stage_key(part, replace(AUXILIARY, table=audio), 0),
        stage_key(part, replace(AUXILIARY, table=moved), 0),
        *(
            stage_key(changed.of_stage(changed.stages[0]), AUXILIARY, 0)
            for setting in ("front_end.bands=20", "network.width=13", "stages.voices.training.epochs=4",
                            "stages.voices.terms.speaker.weight=2", "optimizer.learning_rate=0.3")
            for changed in [recipe("tdnn", STAGE, setting)]
        ),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)


def test_a_stage_is_done_once_whoever_asks(tmp_path, monkeypatch):
    chosen, begun, together = recipe("tdnn", STAGE), [], threading.Barrier(2)
    original = StageRun.train
    monkeypatch.setattr(StageRun, "train", lambda self: begun.append(1) or original(self))
    found = {}

    def ask(number: int) -> None:
        together.wait()
        found[number] = pretrained(chosen, split(20, number), AUXILIARY, 0, tmp_path, "cpu")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == [1]  # of two folds, whose training parts differ
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
    (folder,) = (file.parent for file in tmp_path.glob("*/weights.safetensors"))
    assert not {"checkpoint.pt", "best.pt"} & {file.name for file in folder.iterdir()}


def test_stages_go_one_after_the_other_over_the_data_they_name(tmp_path, monkeypatch):
    seen = []

    def train(self):
        seen.append((self.recipe.name, len(self.items) + len(self.held_out), self.recipe.training.epochs))

    monkeypatch.setattr(StageRun, "train", train)
    monkeypatch.setattr(StageRun, "take_chosen", lambda self: None)
    stages = "stages=[{name: a, data: train}, {name: b, data: both, terms: %s}, {name: c, data: auxiliary, terms: %s}]"
    chosen = recipe("tdnn", stages % (SPEAKERS, SPEAKERS), "training.epochs=2")
    last = pretrained(chosen, TRAIN, AUXILIARY, 0, tmp_path)
    assert seen == [("a", 36, 2), ("b", 76, 2), ("c", 40, 2)]
    assert {name for name in last if name.startswith("terms.")} == {n for n in last if n.startswith("terms.speaker.")}
    seen.clear()
    pretrained(chosen, TRAIN, None, 0, tmp_path)
    assert seen == [("b", 36, 2)]  # a is done, and there is nothing for c


def test_interruptions_anywhere_change_nothing(tmp_path, monkeypatch):
    """A stage, auxiliary batches in turn and a plateau, killed in every epoch before it is kept."""
    chosen = recipe(
        "tdnn-mtl", STAGE, "auxiliary.use=alternate", "training.epochs=6", "training.select=ua",
        "optimizer.schedule=plateau", "optimizer.patience=1", "optimizer.learning_rate=0.02",
        "stages.voices.optimizer={schedule: plateau, patience: 1, learning_rate: 0.05}",
    )  # fmt: skip
    whole = fit(chosen, TRAIN, DEV, 3, tmp_path / "whole", "cpu", AUXILIARY).posteriors(DEV.features)
    rates = {row["learning_rate"] for row in history(tmp_path / "whole")}
    assert len(rates) > 1  # the plateau had its say

    original, done = NetworkRun.train_epoch, []

    def interrupted(self, epoch):
        losses = original(self, epoch)
        done.append(epoch)
        if len(done) == 2:
            raise KeyboardInterrupt
        return losses

    monkeypatch.setattr(NetworkRun, "train_epoch", interrupted)
    kills = 0
    while True:
        done.clear()
        try:
            fitted = fit(chosen, TRAIN, DEV, 3, tmp_path / "cut", "cpu", AUXILIARY)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills >= 6
    assert fitted.posteriors(DEV.features).tobytes() == whole.tobytes()
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    one, other = (weights(tmp_path / name / "stages") for name in ("whole", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key][name]) for key in one for name, value in one[key].items())


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
