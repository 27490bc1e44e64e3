"""The audit of files: manifests, or the split files of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from unheard.audit.audit import Audit, audit
from unheard.audit.likeness import with_likeness
from unheard.corpora.corpus import COLUMNS, Corpus
from unheard.corpora.exchange import FORMATS, import_corpus
from unheard.corpora.exchange.splits_csv import PART_OF_FOLD
from unheard.corpora.joined import join
from unheard.corpora.mapping import LabelMapping
from unheard.corpora.published import editions_found
from unheard.errors import InputError, did_you_mean
from unheard.protocols import get_protocol
from unheard.protocols.fold import TEST_DEV, TEST_TRAIN, Fold, Rows
from unheard.protocols.given import SPLIT, imported_folds


def audit_files(
    files: Sequence[str | Path],
    *,
    protocol: str | None = None,
    labels: str | Path | None = None,
    auxiliary: Sequence[str | Path] = (),
    apart: Sequence[str] = (),
    audio: str = "near",
    seed: int = 0,
) -> Audit:
    """What folds prove and what they leak, from files alone.

    Args:
        files: manifests (several are joined), or the split files of another tool
            (see :mod:`unheard.corpora.exchange`), whose folds are audited as they are.
        protocol: how manifests are cut, by name. One CSV manifest that keeps folds of its own, in a column ``split`` or
            as :func:`unheard.protocols.given.with_parts` writes them, is audited under these without a protocol.
        labels: a label mapping by name or file.
        auxiliary: manifests of further training data.
        apart: columns of which test is to share no value with train and dev.
        audio: ``near`` looks for near-identical recordings, ``identical`` for identical files, ``no`` opens none.
        seed: of the protocol.

    Raises:
        InputError: something given is not what it must be.
    """
    given = [file / "manifest.csv" if (file / "manifest.csv").is_file() else file for file in map(Path, files)]
    if protocol is None and len(given) == 1 and _keeps_folds(given[0]):
        imported = import_corpus(given[0], "splits-csv")
        corpus, splits = imported.corpus, imported_folds(imported)
    elif all(_is_manifest(file) for file in given):
        corpus = join([Corpus.read(file, check_audio=audio != "no") for file in given])
        splits = None
    elif len(given) > 1:
        raise InputError(f"{given[-1]}: split files are audited by themselves; name one folder, or manifests only")
    else:
        imported = import_corpus(given[0])
        corpus = imported.corpus
        splits = imported_folds(imported) if imported.folds else None
        if splits and protocol:
            raise InputError(
                f"{given[0]}: these split files bring their own folds; leave --protocol out, or make a manifest of "
                "them with `unheard corpus import`"
            )
    for column in apart:
        if column not in corpus.table and column not in COLUMNS:
            hint = did_you_mean(column, map(str, corpus.table.columns))
            raise InputError(f"--apart {column}: {corpus.source} has no such column; {hint}")
    published = editions_found(corpus)
    further = join([Corpus.read(file, check_audio=audio != "no") for file in auxiliary]) if auxiliary else None
    if audio != "no":
        corpus, further = _compared(corpus, further, near=audio == "near")
    if labels:
        corpus, splits = _mapped(corpus, splits, LabelMapping.load(labels))
    return audit(
        corpus,
        get_protocol(protocol) if protocol else None,
        splits,
        seed=seed,
        published=published,
        apart=dict.fromkeys(apart, (TEST_TRAIN, TEST_DEV)),
        auxiliary=further,
    )


def _header(path: Path) -> list[str]:
    """The columns of a CSV file; none of anything else."""
    if path.suffix != ".csv" or not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return [column.strip().strip('"') for column in file.readline().split(",")]


def _keeps_folds(path: Path) -> bool:
    """Whether a manifest brings its own folds."""
    columns = _header(path)
    return "audio" in columns and any(name == SPLIT or name.startswith(PART_OF_FOLD) for name in columns)


def _is_manifest(path: Path) -> bool:
    """Whether this is a manifest of ours, or at least nobody else's table."""
    if "audio" in _header(path) or not path.exists():
        return True
    table = path.suffix in {".csv", ".parquet"} and path.is_file()
    return table and not any(FORMATS[name].recognizes(path) for name in FORMATS)


def _compared(corpus: Corpus, auxiliary: Corpus | None, near: bool) -> tuple[Corpus, Corpus | None]:
    """With what tells copies, of the recordings that are there; split files often come without theirs."""
    corpora = [_digested(each) for each in (corpus, auxiliary) if each is not None]
    if not any(each.table["digest"].notna().any() for each in corpora):
        return corpus, auxiliary
    corpora = _with_equal_files(with_likeness(*corpora)) if near else corpora
    return corpora[0], corpora[1] if auxiliary is not None else None


def _digested(corpus: Corpus) -> Corpus:
    """With the digests of the recordings that are there."""
    there = pd.Series([(corpus.folder / audio).is_file() for audio in corpus.table["audio"]], corpus.table.index)
    if there.all():
        return corpus.with_digests()
    digests = pd.Series(None, corpus.table.index, dtype="str")
    if there.any():
        digests[there] = corpus.take(there).with_digests().table["digest"].to_numpy()
    return corpus.with_columns(digest=digests)


def _with_equal_files(corpora: list[Corpus]) -> list[Corpus]:
    """Equal files are alike even where there is nothing to hear in them; parts of a file are not."""
    if any(column in each.table for each in corpora for column in ("start", "end")):
        return corpora
    table = pd.concat([each.table[["digest", "likeness"]] for each in corpora], keys=range(len(corpora)))
    first = table.groupby("digest")["likeness"].transform("min")
    alike = first.where(table["likeness"].notna() & table["digest"].notna(), table["likeness"])
    return [each.with_columns(likeness=alike.loc[index].array) for index, each in enumerate(corpora)]


def _mapped(corpus: Corpus, folds: list[Fold] | None, labels: LabelMapping) -> tuple[Corpus, list[Fold] | None]:
    """The utterances that take part, and folds over them."""
    learned = labels.apply(corpus)
    if folds is None:
        return learned, None
    position = pd.Index(learned.table["id"]).get_indexer(pd.Index(corpus.table["id"]))

    def rows(part: Rows) -> Rows:
        found: Rows = position[part]
        return found[found >= 0]

    return learned, [Fold(fold.name, rows(fold.train), rows(fold.dev), rows(fold.test)) for fold in folds]
