import pickle
from pathlib import Path

import pytest
import torch

import unheard.training.checkpoint as module
from unheard.training.checkpoint import load_checkpoint, save_checkpoint

STATE = {"weights": {"a": torch.arange(3.0)}, "history": [{"epoch": 0, "dev_ua": 0.5}], "best": None, "score": -1.0}


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    assert load_checkpoint(path) is None
    save_checkpoint(path, STATE)
    loaded = load_checkpoint(path)
    assert loaded is not None
    assert torch.equal(loaded["weights"]["a"], STATE["weights"]["a"])
    assert {**loaded, "weights": None} == {**STATE, "weights": None}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["torch.save", "os.fsync", "os.replace"])
def test_a_kill_at_any_moment_leaves_the_old_one(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, STATE)

    def killed(*arguments: object) -> None:
        if place == "torch.save":
            arguments[1].write(b"half of it")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"{module.__name__}.{place}", killed)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(path, {"weights": {"a": torch.zeros(3)}})
    loaded = load_checkpoint(path)
    assert loaded is not None
    assert torch.equal(loaded["weights"]["a"], torch.arange(3.0))
    save_checkpoint(path, {"new": 1})
    assert load_checkpoint(path) == {"new": 1}


def test_a_checkpoint_executes_nothing(tmp_path: Path):
    trace = tmp_path / "trace"

    class Touch:
        def __reduce__(self):
            return Path.touch, (trace,)

    torch.save({"weights": Touch()}, tmp_path / "checkpoint.pt")
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(tmp_path / "checkpoint.pt")
    assert not trace.exists()
