from pathlib import Path

import pytest

from unheard.files import write_atomically


def test_a_text_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "result.json"
    write_atomically(path, "old\n")

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("unheard.files.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(path, "new\n")
    assert path.read_text() == "old\n"
    write_atomically(path, "zwei\nZeilen ä\n")
    assert path.read_bytes() == "zwei\nZeilen ä\n".encode()
