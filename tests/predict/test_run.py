"""Many recordings through one recognizer: what is written, what goes on where it was, what is refused."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.predict.run import FORMATS, Output, Run
from unheard.predict.work import GROUP, Task
from unheard.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer(small_run: Path) -> Recognizer:
    return Recognizer.load(small_run)


@pytest.fixture
def recordings(tmp_path: Path, tiny_corpus: Corpus) -> Path:
    """Two recordings, one of them further down, and a broken one between them."""
    folder = tmp_path / "recordings"
    (folder / "c").mkdir(parents=True)
    for row, name in ((0, "a.wav"), (4, 'c/c, "loud" ä.wav')):
        shutil.copy(tiny_corpus.audio_path(row), folder / name)
    (folder / "b.wav").write_bytes(b"no sound at all")
    return folder


@pytest.fixture
def predict(recognizer: Recognizer, small_run: Path):
    def run(*sources: str | Path, pipe: bytes = b"", task: Task | None = None, workers: int = 1, **output):
        out = io.StringIO()
        run = Run(recognizer, small_run, task or Task(), Output(**{"style": "jsonl", **output}), workers, out)
        failures = run([str(source) for source in sources], io.BytesIO(pipe))
        return out.getvalue(), failures

    return run


def names(text: str) -> list[str]:
    return [json.loads(line)["audio"] for line in text.splitlines()]


TIMELINE = Task(timeline=True)


@pytest.mark.parametrize("style", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("task", [Task(), TIMELINE], ids=["one answer", "timeline"])
def test_a_broken_recording_stops_none_of_the_others(predict, recordings: Path, style: str, task: Task):
    whole, failures = predict(recordings, style=style, task=task)
    assert len(failures) == 1
    assert failures[0].startswith(f"{recordings / 'b.wav'}: ")
    (recordings / "b.wav").unlink()
    assert predict(recordings, style=style, task=task) == (whole, [])


@pytest.mark.parametrize("style", ["table", "json", "jsonl", "csv"])
def test_nothing_but_failures_is_still_valid_output(predict, tmp_path: Path, style: str):
    (tmp_path / "empty").mkdir()
    text, failures = predict(tmp_path / "absent.wav", tmp_path / "empty", style=style)
    assert failures[0] == f"{tmp_path / 'empty'}: there is no audio file in this folder"  # before any is predicted
    assert failures[1].startswith(f"{tmp_path / 'absent.wav'}: ")
    assert text == {"json": "[]\n", "csv": "audio,emotion,verdict,duration,p_angry,p_sad\n"}.get(style, "")


@pytest.mark.parametrize("task", [Task(), TIMELINE], ids=["one answer", "timeline"])
def test_files_folders_and_a_pipe_go_together_in_their_order(predict, recordings: Path, task: Task):
    data = (recordings / "a.wav").read_bytes()
    text, failures = predict(recordings / 'c/c, "loud" ä.wav', "-", recordings, pipe=data, task=task)
    assert [Path(name).name[0] for name in names(text)] == ["c", "-", "a", "c"]
    piped, direct = (json.loads(text.splitlines()[index]) for index in (1, 2))
    assert piped | {"audio": ""} == direct | {"audio": ""}
    assert len(failures) == 1


@pytest.mark.parametrize("task", [Task(), TIMELINE], ids=["one answer", "timeline"])
@pytest.mark.parametrize("pipe", [b"", b"no sound at all"])
def test_a_broken_pipe_is_called_standard_input(predict, pipe: bytes, task: Task):
    text, failures = predict("-", pipe=pipe, task=task)
    assert text == ""
    assert len(failures) == 1
    assert failures[0].startswith("standard input: ")


def test_several_processes_say_the_same(predict, tiny_corpus: Corpus, recordings: Path):
    sources = [tiny_corpus.audio_path(row) for row in range(16)] + [recordings]
    assert len(sources) + 2 > GROUP
    alone, failures = predict(*sources)
    together, same = predict(*sources, workers=2)
    assert names(together) == names(alone)
    assert failures == same
    for one, other in zip(alone.splitlines(), together.splitlines(), strict=True):
        assert json.loads(one)["probabilities"] == pytest.approx(json.loads(other)["probabilities"], abs=2e-4)


# Going on


@pytest.mark.parametrize("task", [Task(), TIMELINE], ids=["one answer", "timeline"])
def test_json_lines_go_on_where_they_were(predict, recordings: Path, tmp_path: Path, task: Task):
    whole, _ = predict(recordings, task=task)
    out = tmp_path / "deep" / "out.jsonl"
    assert predict(recordings, task=task, out=out)[0] == ""
    assert out.read_text(encoding="utf-8") == whole
    first, second = whole.splitlines(keepends=True)
    out.write_text(first + second[:50], encoding="utf-8")  # interrupted
    shutil.rmtree(recordings / "c")
    shutil.copytree(recordings, recordings / "c")  # what is there already is not read again
    (recordings / "a.wav").write_bytes(b"no sound any more")
    _, failures = predict(recordings, task=task, out=out)
    assert sorted(Path(failure.partition(": ")[0]).name for failure in failures) == ["b.wav", "b.wav"]
    text = out.read_text(encoding="utf-8")
    assert text.startswith(first)
    assert [Path(name).name for name in names(text)] == ["a.wav", "a.wav"]
    predict(recordings, task=task, out=out, force=True)
    assert len(names(out.read_text(encoding="utf-8"))) == 1


@pytest.mark.parametrize(
    "line",
    ["[1]", "no JSON", '{"audio": "a"}', '{"audio": "a", "probabilities": {"angry": 1.0}}',
     '{"audio": "a", "windows": [{"probabilities": {"angry": 0.5, "sad": 0.5}}]}'],
)  # fmt: skip
def test_lines_of_another_kind_are_not_gone_on_with(predict, recordings: Path, tmp_path: Path, line: str):
    out = tmp_path / "out.jsonl"
    out.write_text(line + "\n")
    with pytest.raises(InputError, match="line 1: this is no line that these options and this model write"):
        predict(recordings, out=out)
    assert out.read_text() == line + "\n"


@pytest.mark.parametrize("style", ["textgrid", "elan"])
def test_files_lie_as_the_recordings_do_and_are_made_once(predict, recordings: Path, tmp_path: Path, style: str):
    out, ending = tmp_path / "out", {"textgrid": ".TextGrid", "elan": ".eaf"}[style]
    text, failures = predict(recordings, style=style, out=out)
    assert (text, len(failures)) == ("", 1)
    made = [path for path in out.rglob("*") if path.is_file()]
    assert {path.relative_to(out) for path in made} == {Path(f"a{ending}"), Path(f'c/c, "loud" ä{ending}')}
    (out / f"a{ending}").write_text("mine")
    predict(recordings, style=style, out=out)
    assert (out / f"a{ending}").read_text() == "mine"
    predict(recordings, style=style, out=out, force=True)
    assert (out / f"a{ending}").read_text() != "mine"


def test_one_file_goes_to_standard_output(predict, recordings: Path):
    assert predict(recordings / "a.wav", style="textgrid")[0].startswith('File type = "ooTextFile"')
    with pytest.raises(InputError, match="makes a file for each recording; add --out F"):
        predict(recordings, style="textgrid")


def test_two_recordings_do_not_share_a_file(predict, recordings: Path, tmp_path: Path):
    shutil.copy(recordings / "a.wav", recordings / "a.flac")
    with pytest.raises(InputError, match=r"a\.flac and .*a\.wav would both go to"):
        predict(recordings, style="elan", out=tmp_path / "out")


def test_a_database_and_a_picture(predict, recordings: Path, tmp_path: Path):
    audformat = pytest.importorskip("audformat")
    predict(recordings, style="audformat", out=tmp_path / "db")
    files = audformat.Database.load(str(tmp_path / "db")).files
    assert set(files) <= {str(path) for path in recordings.rglob("*.wav")}
    text, _ = predict(recordings / "a.wav", plot=tmp_path / "a.svg")
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "segments" in json.loads(text)


def test_what_cannot_be_asked_for_gets_one_sentence(predict, recordings: Path, tmp_path: Path):
    (tmp_path / "there").write_text("mine")
    for said, output in (
        ("needs a folder", {"style": "audformat"}),
        ("is there already; use --force", {"style": "csv", "out": tmp_path / "there"}),
        ("is there already; use --force", {"plot": tmp_path / "there"}),
        ("is a file, and --format elan writes to a folder", {"style": "elan", "out": tmp_path / "there"}),
        ("--plot is of one recording, and there are 3", {"plot": tmp_path / "a.png"}),
        ("cannot be had", {"task": Task(timeline=True, hop=0)}),
        ("tells no emotion of frames", {"task": Task(timeline=True, frames=True)}),
    ):
        with pytest.raises(InputError, match=said):
            predict(recordings, **output)
    with pytest.raises(InputError, match=r"--plot .*a\.nothing"):
        predict(recordings / "a.wav", plot=tmp_path / "a.nothing")
    assert (tmp_path / "there").read_text() == "mine"


def test_every_format_is_known():
    from unheard.cli.recognizers import FORMATS as OFFERED

    assert list(FORMATS) == OFFERED
