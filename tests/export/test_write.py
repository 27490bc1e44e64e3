"""The exported file gives what the recognizer gives, whatever comes together in a batch, and needs nothing of ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch
from filelock import FileLock

import unheard
from conftest import data_folder
from trees.command import refused, run_command
from unheard.audio import read_audio
from unheard.corpora import Corpus
from unheard.corpora.vocabulary import Vocabulary
from unheard.errors import InputError
from unheard.export import write
from unheard.export.deviation import largest_deviation, run_alone, run_together, sample_recordings
from unheard.metrics.calibration import tempered
from unheard.recipe import Recipe
from unheard.recognizer import Recognizer
from unheard.seeds import generator, torch_generator
from unheard.training.calibration import Calibration
from unheard.training.fitted import FittedNetwork, build_front_end, build_model

EMOTIONS = ("angry", "happy", "neutral", "sad")
FACTS = {
    "corpus": "none", "corpus_hash": "0", "synthetic": False, "protocol": "speaker-folds:3",
    "speaker_independent": True, "fold": 1, "seed": 0, "test": {"n": 4, "wa": 0.5, "ua": 0.5},
}  # fmt: skip
CORPORA = data_folder("UNHEARD_CORPORA")
PAGE = Path(__file__).parents[2] / "docs" / "export.md"


@dataclass
class Case:
    """A recognizer, its folder, its file and the quantised one, and what the command said of them."""

    recognizer: Recognizer
    folder: Path
    file: Path
    said: str

    @property
    def small(self) -> Path:
        return self.file.with_suffix(".int8.onnx")

    def posteriors(self, waveforms: list[np.ndarray]) -> np.ndarray:
        return np.array([list(self.recognizer.predict(waveform).probabilities.values()) for waveform in waveforms])


def untrained(recipe: Recipe) -> FittedNetwork:
    """At random, but for the last layer: undecided in the mean, so that posteriors show every difference."""
    front_end, emotions = build_front_end(recipe), {"emotion": Vocabulary("emotion", EMOTIONS)}
    model = build_model(recipe, front_end, emotions, terms=["emotion"]).eval()
    draw = torch_generator(0, "untrained")
    with torch.no_grad():
        for name, values in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                values.copy_(0.2 + torch.rand(values.shape, generator=draw))
    fitted = FittedNetwork(recipe, front_end, emotions, model)
    heard = [Recognizer(fitted, {}).hear(waveform).features for waveform in sample_recordings()]
    layer = model.term("emotion").head.output
    with torch.no_grad():
        logits = layer(torch.from_numpy(fitted.inside(heard).deep))
        layer.weight /= logits.std(0)[:, None]
        layer.bias.copy_((layer.bias - logits.mean(0)) / logits.std(0))
    return fitted


@pytest.fixture(scope="module", params=["filterbank-tdnn-robust", "tdnn"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, small_overrides: tuple[str, ...]
) -> Case:
    # An export takes ten seconds: test processes side by side share it.
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder = shared / f"export-{request.param}"
    said = folder / "said.txt"
    with FileLock(shared / f"export-{request.param}.lock"):
        if not said.exists():
            untrained(Recipe.load(request.param, small_overrides)).save(folder / "recognizer", FACTS)
            result = run_command("export", folder, "--out", folder / "model.onnx", "--quantize")
            assert result.exit_code == 0, result.output
            said.write_text(result.stdout)
    return Case(Recognizer.load(folder), folder, folder / "model.onnx", said.read_text())


@pytest.fixture(scope="module")
def session(case: Case) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(case.file)


def noises(*lengths: int) -> list[np.ndarray]:
    draw = generator(0, "noises")
    return [(draw.uniform(0.001, 0.3) * draw.standard_normal(length)).astype(np.float32) for length in lengths]


@pytest.mark.parametrize(
    "lengths",
    [(1,), (2, 1), (399,), (400, 401, 560), (6000, 16000), (48000,), (1, 48000, 800), (30001, 30000, 29999), (200000,)],
    ids=str,
)
def test_posteriors_are_those_of_the_recognizer(case: Case, session, lengths: tuple[int, ...]):
    waveforms = noises(*lengths)
    expected = case.posteriors(waveforms)
    np.testing.assert_allclose(run_alone(session, waveforms), expected, atol=1e-4)
    np.testing.assert_allclose(run_together(session, waveforms), expected, atol=1e-4)


def test_other_sounds_have_other_posteriors(case: Case):
    """So that the comparison above means something."""
    assert np.ptp(case.posteriors(sample_recordings()), axis=0).max() > 0.2


def test_a_temperature_goes_with_it(case: Case, session, tmp_path: Path):
    """Into the file, which is held to the calibrated recognizer before it is written."""
    calibrated = Recognizer.load(case.folder)
    calibrated.fitted.calibration = Calibration(temperature=2.0, threshold=0.5)
    (file,) = write.export_recognizer(calibrated, tmp_path / "model.onnx")
    assert file.deviation < 1e-4
    waveforms = noises(6000, 16000, 30001)
    found = run_alone(onnxruntime.InferenceSession(file.path), waveforms)
    np.testing.assert_allclose(found, tempered(run_alone(session, waveforms), 2.0), atol=1e-4)
    told = {entry.key: entry.value for entry in onnx.load(file.path).metadata_props}
    assert json.loads(told["calibration"]) == {"temperature": 2.0, "threshold": 0.5}


def test_what_lies_behind_a_recording_does_not_matter(session):
    waveforms = np.stack(noises(20000, 20000))
    lengths = np.array([20000, 9000])
    expected = session.run(None, {"waveform": waveforms, "lengths": lengths})[0]
    waveforms[1, 9000:] = 1e3
    np.testing.assert_allclose(session.run(None, {"waveform": waveforms, "lengths": lengths})[0], expected, atol=1e-6)


@pytest.mark.skipif(CORPORA is None, reason="UNHEARD_CORPORA is not set")
def test_real_recordings_give_the_same(case: Case, session):
    assert CORPORA is not None
    for manifest in sorted(CORPORA.glob("*/manifest.csv")):
        corpus = Corpus.read(manifest)
        waveforms = [read_audio(corpus.audio_path(row)) for row in range(0, len(corpus), len(corpus) // 3)]
        expected = case.posteriors(waveforms)
        np.testing.assert_allclose(run_alone(session, waveforms), expected, atol=1e-4)
        np.testing.assert_allclose(run_together(session, waveforms), expected, atol=1e-4)


def test_the_file_says_what_it_is(case: Case):
    model = onnx.load(case.file)
    onnx.checker.check_model(model)
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(told["emotions"]) == list(EMOTIONS)
    assert Recipe.check(json.loads(told["recipe"]), "the file") == case.recognizer.fitted.recipe
    assert (told["sample_rate"], told["tolerance"], told["quantization"]) == ("16000", "0.0001", "none")
    assert told["opset"] == str(write.OPSET)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", write.OPSET)]
    sizes = {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert sizes == {"waveform": ["batch", "samples"], "lengths": ["batch"], "posteriors": ["batch", 4]}


def test_the_file_does_not_tell_where_it_was_made(case: Case):
    for file in (case.file, case.small):
        assert str(Path(unheard.__file__).parent).encode() not in file.read_bytes()
        assert str(Path(torch.__file__).parent).encode() not in file.read_bytes()


def test_the_quantised_file_says_how_far_it_is(case: Case):
    told = {entry.key: entry.value for entry in onnx.load(case.small).metadata_props}
    deviation = largest_deviation(case.small.read_bytes(), case.recognizer, sample_recordings())
    assert told["largest_deviation"] == f"{deviation:.2g}"
    assert write.TOLERANCE < deviation < 0.5  # the last layer magnifies it
    assert told["quantization"] == "int8, dynamic"
    assert "DynamicQuantizeLSTM" in {node.op_type for node in onnx.load(case.small).graph.node}
    assert case.small.stat().st_size < case.file.stat().st_size
    lines = case.said.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(case.file), str(case.small)]
    assert lines[1].endswith(f"posteriors differ by at most {deviation:.1g}")


def test_nothing_is_overwritten(case: Case):
    said = refused(run_command("export", case.folder, "--out", case.file))
    assert said == f"{case.file} is there already; use --force to replace it"


def test_a_file_that_gives_something_else_is_not_written(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = Recognizer.load(case.folder)
    with torch.no_grad():
        other.fitted.model.term("emotion").head.output.bias[0] += 0.01  # type: ignore[attr-defined]
    monkeypatch.setattr(write, "_traced", lambda module: onnx.load(case.file))
    with pytest.raises(InputError, match=r"differ by 0\.00"):
        write.export_recognizer(other, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("adarl-backbone", "adarl-backbone: spectrogram cannot be exported; filterbank and mfcc can"),
        ("strfnet-spectrogram", "strfnet-spectrogram: strfnet cannot be exported; tdnn_lstm can"),
    ],
)
def test_what_is_not_known_to_work_is_refused(tmp_path: Path, name: str, expected: str):
    fitted = FittedNetwork(Recipe.load(name), None, {}, None)  # type: ignore[arg-type]
    with pytest.raises(InputError) as problem:
        write.export_recognizer(Recognizer(fitted, {}), tmp_path / "model.onnx")
    assert str(problem.value) == expected


def test_a_classical_model_is_refused(tmp_path: Path):
    class Classical:
        recipe = Recipe.load("egemaps-svm")

    with pytest.raises(InputError, match="egemaps-svm: a classical model cannot be exported; only networks can"):
        write.export_recognizer(Recognizer(Classical(), {}), tmp_path / "model.onnx")  # type: ignore[arg-type]


def test_the_example_runs_with_onnxruntime_alone(case: Case):
    found = re.search(r'```python title="recognize.py"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    (waveform,) = noises(24000)
    waveform /= 2 * abs(waveform).max()
    soundfile.write(case.folder / "voice.wav", waveform, 16000, subtype="FLOAT")
    alone = "\nassert not {'torch', 'unheard', 'onnx'} & set(sys.modules)\n"
    said = subprocess.run(
        [sys.executable, "-c", found[1] + alone, "voice.wav"],
        cwd=case.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.split() for line in said.stdout.splitlines())
    expected = case.recognizer.predict(waveform).probabilities
    assert {emotion: float(value) for emotion, value in told.items()} == pytest.approx(expected, abs=1e-3)
