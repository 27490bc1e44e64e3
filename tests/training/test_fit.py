import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from trees.splits import DEV, TRAIN, history, recipe, split
from unheard.errors import InputError
from unheard.methods.method import Method
from unheard.recipe import Recipe
from unheard.training.fit import fit
from unheard.training.fitted import load_fitted
from unheard.training.loop import NetworkRun
from unheard.training.split import Split


def test_training_learns(tmp_path):
    settings = ("training.epochs=12", "optimizer.name=adam", "optimizer.learning_rate=0.01")
    fitted = fit(recipe("tdnn", *settings), TRAIN, DEV, 0, tmp_path)
    predicted = fitted.posteriors(DEV.features).argmax(axis=1)
    assert (np.array(fitted.emotions)[predicted] == DEV.table["emotion"]).mean() > 0.9
    rows = history(tmp_path)
    assert [row["epoch"] for row in rows] == list(range(12))
    assert rows[-1]["loss.emotion"] < rows[0]["loss.emotion"]


def test_what_is_no_loss_is_not_called_one(tmp_path):
    fit(recipe("tdnn-tap", "training.epochs=1", "training.select=last"), TRAIN, DEV, 0, tmp_path)
    (row,) = history(tmp_path)
    assert {"loss.emotion", "loss.speaker", "ascent_to_descent"} <= set(row)


@pytest.mark.parametrize("name", ["tdnn", "tdnn-mtl", "tdnn-dat"])
def test_interrupted_training_gives_the_same_numbers(name, tmp_path, monkeypatch):
    chosen = recipe(name, "training.epochs=4")
    whole = fit(chosen, TRAIN, DEV, 3, tmp_path / "whole").posteriors(DEV.features)

    original = NetworkRun.train_epoch

    def interrupted(self, epoch):
        if epoch == 2:
            original(self, epoch)  # the work of the epoch is done, but not yet kept
            raise KeyboardInterrupt
        return original(self, epoch)

    monkeypatch.setattr(NetworkRun, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(chosen, TRAIN, DEV, 3, tmp_path / "cut")
    monkeypatch.undo()
    assert len(history(tmp_path / "cut")) == 2
    resumed = fit(chosen, TRAIN, DEV, 3, tmp_path / "cut").posteriors(DEV.features)
    assert resumed.tobytes() == whole.tobytes()
    assert history(tmp_path / "cut") == history(tmp_path / "whole")


def test_seeds_matter_and_repeat(tmp_path):
    chosen = recipe("tdnn", "training.epochs=1", "training.select=last")
    runs = [
        fit(chosen, TRAIN, DEV, seed, tmp_path / str(i)).posteriors(DEV.features) for i, seed in enumerate((0, 0, 1))
    ]
    assert runs[0].tobytes() == runs[1].tobytes()
    assert np.abs(runs[0] - runs[2]).max() > 1e-3


def test_the_callers_randomness_is_left_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(recipe("tdnn", "training.epochs=1"), TRAIN, DEV, 0, tmp_path)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("select", ["ua", "wa"])
def test_the_first_best_epoch_on_dev_is_kept(select, tmp_path):
    chosen = recipe("tdnn", "training.epochs=6", f"training.select={select}", "optimizer.learning_rate=0.05")
    fitted = fit(chosen, TRAIN, DEV, 0, tmp_path)
    scores = [row[f"dev_{select}"] for row in history(tmp_path)]
    best = scores.index(max(scores))
    # The same training, stopped after the best epoch, keeping its last.
    until = recipe("tdnn", f"training.epochs={best + 1}", "training.select=last", "optimizer.learning_rate=0.05")
    again = fit(until, TRAIN, DEV, 0, tmp_path / "again")
    assert fitted.posteriors(DEV.features).tobytes() == again.posteriors(DEV.features).tobytes()


def test_the_best_weights_are_written_when_they_change_and_only_then(tmp_path, monkeypatch):
    written = []

    def noted(self):
        file = self.folder / "best.pt"
        written.append(file.stat().st_mtime_ns if file.is_file() else None)

    monkeypatch.setattr(NetworkRun, "_write_history", noted)
    monkeypatch.setattr(NetworkRun, "scores", lambda self: {"dev_ua": [0.2, 0.2, 0.4, 0.1][len(self.history)]})
    fit(recipe("tdnn", "training.epochs=4", "training.select=ua"), TRAIN, DEV, 0, tmp_path / "ua")
    assert written[0] == written[1] < written[2] == written[3]
    written.clear()
    fit(recipe("tdnn", "training.epochs=2", "training.select=last"), TRAIN, DEV, 0, tmp_path / "last")
    assert written == [None, None]  # the checkpoint has them already


def test_without_dev_the_last_epoch_is_kept(tmp_path):
    nobody = Split(DEV.table.iloc[:0], [])
    fitted = fit(recipe("tdnn", "training.epochs=2"), TRAIN, nobody, 0, tmp_path)
    assert fitted.posteriors(DEV.features).shape == (12, 2)
    assert "dev_ua" not in history(tmp_path)[0]


def test_adding_a_term_leaves_first_weights_and_batches_alone(tmp_path):
    plain = NetworkRun(recipe("tdnn"), TRAIN, DEV, 0, tmp_path / "a", "cpu")
    with_speaker = NetworkRun(recipe("tdnn-mtl"), TRAIN, DEV, 0, tmp_path / "b", "cpu")
    theirs = with_speaker.method.module.state_dict()
    for name, value in plain.method.module.state_dict().items():
        assert torch.equal(value, theirs[name]), name


def test_a_missing_column_is_one_sentence(tmp_path):
    train = replace(TRAIN, table=TRAIN.table.drop(columns="speaker"))
    with pytest.raises(InputError, match='the term "speaker" needs the column "speaker"'):
        fit(recipe("tdnn-mtl"), train, DEV, 0, tmp_path)


def test_diverged_training_keeps_what_it_had(tmp_path, monkeypatch):
    chosen = recipe("tdnn", "training.epochs=4", "training.select=last")
    until = fit(recipe("tdnn", "training.epochs=2", "training.select=last"), TRAIN, DEV, 0, tmp_path / "two")
    start_epoch = Method.start_epoch

    def explode(self, epoch, epochs):
        start_epoch(self, epoch, epochs)
        if epoch == 2:
            self.optimizers[0].param_groups[0]["lr"] = 1e30

    monkeypatch.setattr(Method, "start_epoch", explode)
    fitted = fit(chosen, TRAIN, DEV, 0, tmp_path / "four")
    assert len(history(tmp_path / "four")) == 2
    assert fitted.posteriors(DEV.features).tobytes() == until.posteriors(DEV.features).tobytes()
    with pytest.raises(InputError, match=r"diverged at once; lower optimizer\.learning_rate"):
        fit(recipe("tdnn", "training.epochs=2", "optimizer.learning_rate=1e30"), TRAIN, DEV, 0, tmp_path / "none")


def test_bfloat16_trains(tmp_path):
    fitted = fit(recipe("tdnn-dat", "training.epochs=2", "training.precision=bf16-mixed"), TRAIN, DEV, 0, tmp_path)
    assert np.isfinite(fitted.posteriors(DEV.features)).all()
    assert all(np.isfinite(row["loss.emotion"]) for row in history(tmp_path))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_cuda_trains(precision, tmp_path):
    settings = (
        "training.epochs=12",
        "optimizer.name=adam",
        "optimizer.learning_rate=0.01",
        f"training.precision={precision}",
    )
    fitted = fit(recipe("tdnn-dat", *settings), TRAIN, DEV, 0, tmp_path, device="cuda")
    predicted = fitted.posteriors(DEV.features).argmax(axis=1)
    assert (np.array(fitted.emotions)[predicted] == DEV.table["emotion"]).mean() > 0.8


def test_a_checkpoint_holds_no_code(tmp_path):
    run = NetworkRun(recipe("tdnn", "training.epochs=1"), TRAIN, DEV, 0, tmp_path, "cpu")
    tmp_path.mkdir(exist_ok=True)
    run.train_epoch(0)
    run.save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert set(state) == {"method", "best_score", "plateau", "history"}


def test_the_svm_is_fitted_and_saved_the_same_way(tmp_path):
    pytest.importorskip("sklearn")
    draw = np.random.default_rng(0)

    def vectors(part: Split) -> Split:
        level = (part.table["emotion"] == "sad").to_numpy(dtype=np.float32)
        return replace(part, features=[draw.standard_normal((1, 88), dtype=np.float32) + 2 * value for value in level])

    fitted = fit(Recipe.load("egemaps-svm"), vectors(TRAIN), vectors(DEV), 0, tmp_path)
    test = vectors(split(20, 2))
    predicted = np.array(fitted.emotions)[fitted.posteriors(test.features).argmax(axis=1)]
    assert (predicted == split(20, 2).table["emotion"]).mean() > 0.9
    facts = {"corpus": "x", "corpus_hash": "0", "synthetic": False, "protocol": "p", "speaker_independent": True}
    facts |= {"fold": 1, "seed": 0, "test": {"n": 20, "wa": 1.0, "ua": 1.0}, "machine": {}}
    fitted.save(tmp_path / "saved", facts)
    loaded, _ = load_fitted(tmp_path / "saved")
    assert np.array_equal(loaded.posteriors(test.features), fitted.posteriors(test.features))
    shutil.rmtree(tmp_path / "saved")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="there is no GPU here"):
        fit(recipe(), TRAIN, DEV, 0, tmp_path, "cuda")
