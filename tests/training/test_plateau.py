"""The rate falls where the score does not rise, from the best epoch on, for all optimisers of a method."""

from __future__ import annotations

import pytest
import torch

from trees.splits import DEV, TRAIN, recipe
from unheard.errors import InputError
from unheard.methods.optimizer import OptimizerSettings
from unheard.training.loop import NetworkRun
from unheard.training.plateau import Plateau
from unheard.training.split import Split

SETTINGS = ("optimizer.schedule=plateau", "optimizer.patience=2", "optimizer.lowest_rate=0.02", "training.select=ua",
            "optimizer.learning_rate=0.1", "training.epochs=30")  # fmt: skip


def test_the_rates_of_the_paper():
    plateau, rates = Plateau(OptimizerSettings(name="sgd", learning_rate=1e-4, schedule="plateau")), []
    while not plateau.over:
        rates.append(plateau.rate)
        assert [plateau.falls(False) for _ in range(5)] == [False] * 4 + [True]
    assert rates == pytest.approx([1e-4, 5e-5, 2.5e-5, 1.25e-5])


def test_another_schedule_never_falls():
    plateau = Plateau(OptimizerSettings(learning_rate=1e-9))
    assert not any(plateau.falls(False) for _ in range(20))
    assert not plateau.over


@pytest.mark.parametrize("name", ["tdnn", "tdnn-cgt"])
def test_back_to_the_best_epoch_at_a_lower_rate(name, tmp_path, monkeypatch):
    scores = iter([0.2, 0.5, 0.4, 0.5, 0.6, 0.1, 0.1, 0.2, 0.2])
    states, rates = [], []
    original = NetworkRun.train_epoch

    def watched(self, epoch):
        before = {key: value.clone() for key, value in self.module.state_dict().items()}
        memory = [dict(optimizer.state_dict()["state"]) for optimizer in self.method.optimizers]
        losses = original(self, epoch)
        rates.append([group["lr"] for optimizer in self.method.optimizers for group in optimizer.param_groups])
        after = {key: value.clone() for key, value in self.module.state_dict().items()}
        states.append((before, memory, after))
        return losses

    monkeypatch.setattr(NetworkRun, "train_epoch", watched)
    monkeypatch.setattr(NetworkRun, "scores", lambda self: {"dev_ua": next(scores)})
    run = NetworkRun(recipe(name, *SETTINGS, "terms.emotion.learning_rate=0.2"), TRAIN, DEV, 0, tmp_path, "cpu")
    run.train()
    run.take_chosen()
    best = {key: value.clone() for key, value in run.module.state_dict().items()}
    # 0.5 is the best of the first four, 0.6 of all; nothing follows a rate below 0.02.
    assert [round(max(group), 4) for group in rates] == [0.2] * 4 + [0.1] * 3 + [0.05] * 2
    assert [round(min(group), 4) for group in rates] == [0.1] * 4 + [0.05] * 3 + [0.025] * 2
    for back, epoch in ((4, 1), (7, 4)):
        before, memory, _ = states[back]
        assert all(torch.equal(value, states[epoch][2][key]) for key, value in before.items())
        assert not any(memory)
        assert any(states[back - 1][1])
    assert all(torch.equal(value, states[4][2][key]) for key, value in best.items())


def test_it_needs_somebody_to_judge(tmp_path):
    nobody = Split(DEV.table.iloc[:0], [])
    with pytest.raises(InputError, match=r"schedule plateau follows the score .* choose a protocol with dev speakers"):
        NetworkRun(recipe("tdnn", *SETTINGS), TRAIN, nobody, 0, tmp_path, "cpu").train()
