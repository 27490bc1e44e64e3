"""audformat databases (audEERING): a header ``db.yaml`` and tables ``db.<table>.parquet`` or ``.csv``.

All tables are read as one: what a table says of a file holds for every segment of it. Tables of a split are its parts.
What a scheme says of its labels (``speaker`` → ``gender``) becomes columns. See
https://audeering.github.io/audformat. The header is read as plain YAML and no ``.pkl`` is opened: both could run code.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from unheard.corpora.corpus import EMOTIONS, GENDERS, NUMBERS
from unheard.corpora.exchange.entries import Entries, imported
from unheard.corpora.exchange.export import Export
from unheard.corpora.exchange.files import head, read_text, recordings_folder
from unheard.corpora.exchange.imported import GIVEN, Format, Imported
from unheard.corpora.exchange.words import part_of, with_our_columns
from unheard.errors import InputError

if TYPE_CHECKING:
    import audformat

HEADER = re.compile(r"^(schemes|tables|splits|media|usage):", re.MULTILINE)
PLACE = ["audio", "start", "end"]
#: The only table of an exported database.
TABLE = "utterances"


def recognizes(path: Path) -> bool:
    """A header, or a folder with ``db.yaml``."""
    file = path / "db.yaml" if path.is_dir() else path
    return file.suffix == ".yaml" and len(set(HEADER.findall(head(file)))) >= 2


def _library() -> Any:
    try:
        import audformat
    except ImportError:
        raise InputError("audformat databases need the library audformat: pip install 'unheard[audformat]'") from None
    return audformat


def read(path: Path) -> Imported:
    """A folder with ``db.yaml``, or a header by its name."""
    header = path / "db.yaml" if path.is_dir() else path
    database = _database(header)
    lost = [f"{header}: the attachment {name} is left out" for name in database.attachments]
    frames = {name: _frame(database, table) for name, table in database.tables.items()}
    if not frames:
        raise InputError(f"{header}: the database has no table, so it names no recording")
    places = _utterances(database, frames)
    entries = [
        Entries(_spread(frame, database.tables[name], places), f"{header}, table {name}")
        for name, frame in frames.items()
    ]
    entries += _parts(database, frames, places, header, lost)
    used = {scheme.labels for scheme in database.schemes.values() if scheme.uses_table}
    lost += [f"{header}: the table {name} is of no recordings, and left out" for name in database.misc_tables
             if name not in used]  # fmt: skip
    entries[0] = _with_header(entries[0], entries, database)
    folder = recordings_folder(header.parent, places["audio"])
    return imported(entries, folder, path, lost=lost, label_map=_explained(database))


def _database(header: Path) -> audformat.Database:
    library = _library()
    try:
        database = library.Database.load_header_from_yaml(yaml.safe_load(read_text(header)))
    except InputError:
        raise
    except Exception as problem:  # a header may be wrong in any way
        raise InputError(f"{header}: this is no audformat header ({' '.join(str(problem).split())})") from problem
    for name in [*database.misc_tables, *database.tables]:
        if re.search(r"[/\\]", str(name)):
            raise InputError(f'{header}: the table "{name}" is not called as a file can be; rename it')
        _load(database[name], header.with_name(f"{header.stem}.{name}"))
    return database


def _load(table: Any, base: Path) -> None:
    """Load a table from Parquet or CSV, out of reach of a ``.pkl`` beside them, which the library would prefer."""
    files = [base.with_name(f"{base.name}.{suffix}") for suffix in ("parquet", "csv")]
    there = [file for file in files if file.is_file()]
    if not there:
        raise InputError(
            f"{base}: there is no {base.name}.parquet or .csv; save the table as one (a .pkl can run code)"
        )
    with tempfile.TemporaryDirectory() as aside:
        shutil.copyfile(there[0], Path(aside) / there[0].name)
        try:
            table.load(str(Path(aside) / base.name))
        except Exception as problem:  # a table may be wrong in any way
            raise InputError(
                f"{there[0]}: this is not the table of its header ({' '.join(str(problem).split())})"
            ) from problem


def _frame(database: audformat.Database, table: Any) -> pd.DataFrame:
    """A table with the columns audio, start, end (seconds, missing for a whole file) and its own as plain values."""
    frame = table.df
    index = frame.index.to_frame(index=False)
    found = {"audio": index["file"].astype("str")}
    for column in ("start", "end"):
        times = index[column].dt.total_seconds() if column in index else pd.Series(float("nan"), index.index)
        found[column] = times.astype("float64")
    found["start"] = found["start"].mask((found["start"] == 0) & found["end"].isna())
    values = {str(name): _plain(frame[name].reset_index(drop=True)) for name in frame}
    for name, column in table.columns.items():
        if column.scheme_id is not None:
            for what, value in _of_labels(database.schemes[column.scheme_id], values[name]).items():
                values.setdefault(what, value)
    return pd.DataFrame(found | {name: value for name, value in values.items() if name not in PLACE})


def _plain(column: pd.Series) -> pd.Series:
    if pd.api.types.is_timedelta64_dtype(column):
        return pd.Series(column.dt.total_seconds())
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        whole = pd.api.types.is_integer_dtype(column) and not column.hasnans
        return pd.Series(column.to_numpy("int64") if whole else column.to_numpy("float64", na_value=float("nan")))
    return column.astype("object").map(str, na_action="ignore").astype("str").mask(column.isna())


def _of_labels(scheme: audformat.Scheme, values: pd.Series) -> dict[str, pd.Series]:
    """What a scheme knows of its labels, such as the gender of a speaker, as columns."""
    if scheme.uses_table:
        known = scheme._db[scheme.labels].df
        about = {str(label): row for label, row in zip(known.index, known.to_dict("records"), strict=True)}
    elif isinstance(scheme.labels, dict):
        about = {str(label): row for label, row in scheme.labels.items() if isinstance(row, dict)}
    else:
        return {}
    names = dict.fromkeys(name for row in about.values() for name in row)
    return {
        str(name): _plain(values.map({label: row.get(name) for label, row in about.items()}, na_action="ignore"))
        for name in names
    }


def _utterances(database: audformat.Database, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every segment of any table once, and every file of which there is none."""
    by_kind: dict[bool, list[pd.DataFrame]] = {False: [], True: []}
    for name, frame in frames.items():
        by_kind[database.tables[name].is_filewise].append(frame[PLACE])
    segments, files = (pd.concat([pd.DataFrame(columns=PLACE), *by_kind[filewise]]) for filewise in (False, True))
    places = pd.concat([segments, files[~files["audio"].isin(segments["audio"])]], ignore_index=True)
    return places.drop_duplicates().astype({"audio": "str", "start": "float64", "end": "float64"})


def _spread(frame: pd.DataFrame, table: audformat.Table, places: pd.DataFrame) -> pd.DataFrame:
    """A table with the row of a file repeated for each utterance in it."""
    return frame.drop(columns=["start", "end"]).merge(places, on="audio", how="left") if table.is_filewise else frame


def _parts(
    database: audformat.Database,
    frames: Mapping[str, pd.DataFrame],
    places: pd.DataFrame,
    header: Path,
    lost: list[str],
) -> list[Entries]:
    """The utterances of each split; several tables of one split, such as two annotations, name them once."""
    found: dict[str, list[pd.DataFrame]] = {}
    for name, table in database.tables.items():
        if table.split_id is None:
            continue
        kind = part_of(database.splits[table.split_id].type)
        if kind is None:
            lost.append(f"{header}: the split {table.split_id} of the table {name} is neither train, dev nor test")
            continue
        part = table.split_id if part_of(table.split_id) == kind else kind
        found.setdefault(part, []).append(_spread(frames[name], table, places)[PLACE])
    return [
        Entries(pd.concat(rows, ignore_index=True).drop_duplicates(), str(header), part, GIVEN)
        for part, rows in found.items()
    ]


def _explained(database: audformat.Database) -> dict[str, str]:
    """What the header says in words of its labels."""
    return {
        str(label): words
        for scheme in database.schemes.values()
        if isinstance(scheme.labels, dict)
        for label, words in scheme.labels.items()
        if isinstance(words, str)
    }


def _with_header(first: Entries, entries: list[Entries], database: audformat.Database) -> Entries:
    """The language and the published corpus that the header names, where no table has them."""
    from unheard.corpora import CORPORA

    columns = {name for each in entries for name in with_our_columns(each.table)}
    said = {}
    if "language" not in columns and len(database.languages) == 1:
        said["language"] = _short_language(database.languages[0])
    if "corpus" not in columns and database.name in CORPORA:
        said["corpus"] = database.name
    return Entries(first.table.assign(**said), first.file)


def _short_language(code: str) -> str:
    """``de`` for ``deu``."""
    from iso639 import Lang

    try:
        return str(Lang(code).pt1 or code)
    except Exception:  # the library has an error of its own for each reason
        return code


def write(export: Export) -> list[str]:
    """A database with one table; numbers, texts and times have schemes of their own."""
    library = _library()
    database = library.Database(
        re.sub(r"[^\w-]+", "-", export.corpus.name), source=export.corpus.source, usage=library.define.Usage.OTHER
    )
    table = export.known
    audio = export.audio()
    files = audio.tolist()
    if "start" in table or "end" in table:
        start = table["start"].fillna(0.0) if "start" in table else pd.Series(0.0, table.index)
        end = table["end"] if "end" in table else pd.Series(float("nan"), table.index)
        times = [pd.to_timedelta(seconds, unit="s").tolist() for seconds in (start, end)]
        index = library.segmented_index(files, *times)
    else:
        index = library.filewise_index(files)
    utterances = library.Table(index)
    database[TABLE] = utterances
    lost = []
    own = [] if export.has_own_ids(audio) else ["id"]
    for name in table.columns.drop([*PLACE, *own], errors="ignore"):
        if name == "file":
            lost.append('audformat: the column "file" has no place, since this name means the recording')
            continue
        scheme, values = _scheme(library, str(name), table[name])
        database.schemes[name] = scheme
        utterances[name] = library.Column(scheme_id=name)
        utterances[name].set(values.to_numpy() if len(values) else [])
    database.save(str(export.folder), storage_format=library.define.TableStorageFormat.PARQUET)
    return lost


def _scheme(library: Any, name: str, values: pd.Series) -> tuple[Any, pd.Series]:
    kinds = library.define.DataType
    if name == "emotion":
        return library.Scheme(kinds.STRING, labels=list(EMOTIONS)), values.astype("object")
    if name == "gender":
        return library.Scheme(kinds.STRING, labels=list(GENDERS)), values.astype("object")
    if name == "duration":
        return library.Scheme(kinds.TIME), pd.to_timedelta(values, unit="s")
    if name in NUMBERS or pd.api.types.is_float_dtype(values):
        return library.Scheme(kinds.FLOAT), values
    if pd.api.types.is_integer_dtype(values):
        return library.Scheme(kinds.INTEGER), values
    return library.Scheme(kinds.STRING), values.astype("object").map(str, na_action="ignore")


AUDFORMAT = Format("audformat", "audformat database", recognizes, read, write)
