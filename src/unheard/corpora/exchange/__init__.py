"""Exchange of corpora and split files with other tools."""

from __future__ import annotations

from pathlib import Path

from unheard.corpora.corpus import Corpus
from unheard.corpora.exchange.export import write_export
from unheard.corpora.exchange.imported import Format, Imported
from unheard.errors import InputError
from unheard.registry import Registry

#: Formats of other tools: each place is a :class:`Format`. The first that recognizes a file or folder reads it.
FORMATS = Registry(
    "format",
    {
        "audformat": "unheard.corpora.exchange.audformat_database:AUDFORMAT",
        "emobox": "unheard.corpora.exchange.emobox:EMOBOX",
        "lhotse": "unheard.corpora.exchange.lhotse:LHOTSE",
        "kaldi": "unheard.corpora.exchange.kaldi:KALDI",
        "speechbrain": "unheard.corpora.exchange.speechbrain:SPEECHBRAIN",
        "audio-folder": "unheard.corpora.exchange.audio_folder:AUDIO_FOLDER",
        "splits-csv": "unheard.corpora.exchange.splits_csv:SPLITS_CSV",
    },
    group="unheard.formats",
)


def import_corpus(path: str | Path, format: str | None = None) -> Imported:
    """The corpus and the splits that another tool's files hold. It reads no audio, and the audio need not be there.

    Args:
        path: a file or folder.
        format: a name in :data:`FORMATS`; recognized by default.

    Raises:
        InputError: there is no such file, no format recognizes it, or it is not what its format says.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if format is None:
        format = next((name for name in FORMATS if FORMATS[name].recognizes(path)), None)
    if format is None:
        raise InputError(
            f"{path}: these are the files of no format known here ({', '.join(FORMATS)}); name the format, or point at "
            "the very file or folder"
        )
    chosen: Format = FORMATS[format]
    return chosen.read(path)


def export_corpus(
    corpus: Corpus, folder: str | Path, format: str, *, copy_audio: bool = False, force: bool = False
) -> tuple[str, ...]:
    """Write a corpus as another tool's files.

    Args:
        corpus: what is written.
        folder: where to; it must be new or empty.
        format: a name in :data:`FORMATS`.
        copy_audio: whether the recordings are copied into the folder too; otherwise the files name them where they are.
            An AudioFolder always holds its recordings.
        force: write into a folder that holds something; files of the same name are replaced.

    Returns:
        One sentence for each thing that the format cannot hold.

    Raises:
        InputError: the format is only read, the folder is not empty, or the corpus holds what the format forbids.
    """
    chosen: Format = FORMATS[format]
    if chosen.write is None:
        written = [name for name in FORMATS if FORMATS[name].write]
        raise InputError(f"{chosen.title} is only read; corpora are written as {', '.join(written)}")
    return write_export(corpus, Path(folder), chosen.write, copy_audio=copy_audio, force=force)


__all__ = ["FORMATS", "Format", "Imported", "export_corpus", "import_corpus"]
