"""What other tools call the columns, labels and parts that this package has its own words for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from unheard.corpora.corpus import COLUMNS, EMOTIONS
from unheard.errors import InputError

#: Names of our columns in other tools' files, in lower case, the likelier first. A name is only understood so where no
#: column has our own name already.
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("utterance_id", "utt_id", "uttid", "utt", "utterance", "key", "uid"),
    "audio": ("file_name", "filename", "wav", "wav_path", "wav_filename", "audio_path", "audio_file", "audio_filepath",
              "file_path", "filepath", "file", "path"),
    "start": ("start_time", "begin"),
    "end": ("end_time", "stop"),
    "speaker": ("speaker_id", "speakerid", "spk", "spk_id", "spkid", "spkrid", "actor", "actor_id", "client_id"),
    "gender": ("sex",),
    "emotion": ("emo", "emotion_label", "emotion_name", "emoclass", "label", "labels", "class"),
    "valence": ("val", "emoval"),
    "activation": ("arousal", "act", "emoact", "aro"),
    "dominance": ("dom", "emodom"),
    "session": ("session_id",),
    "style": (),
    "text": ("transcript", "transcription", "sentence", "wrd"),
    "language": ("lang", "locale"),
    "corpus": ("dataset", "database"),
    "duration": ("length", "dur"),
}  # fmt: skip

_WORDS: Mapping[str, str] = {
    "angry": "ang anger",
    "happy": "hap happiness joy joyful",
    "neutral": "neu neutrality",
    "sad": "sadness",
    "fear": "fea fearful afraid",
    "disgust": "dis disgusted",
    "surprise": "sur surprised pleasant_surprise pleasant_surprised",
    "boredom": "bor bored boredem",  # the last is how EmoBox spells it
    "calm": "calmness",
    "excited": "exc excitement",
    "frustrated": "fru frustration",
    "contempt": "contemptuous",
    "other": "oth",
}
#: An emotion in the words of other tools → one of :data:`unheard.corpora.corpus.EMOTIONS`.
EMOTION_WORDS: Mapping[str, str] = {
    word: emotion for emotion in EMOTIONS for word in (emotion, *_WORDS[emotion].split())
}
GENDER_WORDS: Mapping[str, str] = {
    "female": "female", "f": "female", "w": "female", "woman": "female",
    "male": "male", "m": "male", "man": "male",
}  # fmt: skip
#: What stands where there is no value, and what says that raters did not agree on one.
NO_VALUE = frozenset({"", "nan", "none", "null", "na", "n/a"})
NO_AGREEMENT = frozenset({"xxx", "no_agreement"})
PART_WORDS: Mapping[str, str] = {
    "train": "train", "training": "train", "trn": "train",
    "dev": "dev", "devel": "dev", "develop": "dev", "development": "dev", "valid": "dev", "validation": "dev",
    "val": "dev", "test": "test", "testing": "test", "tst": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip

_BETWEEN_WORDS = re.compile(r"[-._ ]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])")


def with_our_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns under our names; the others keep theirs.

    >>> with_our_columns(pd.DataFrame(columns=["Utt ID", "wav", "emo", "mood"])).columns.tolist()
    ['id', 'audio', 'emotion', 'mood']
    """
    plain = {str(name).strip().lower().replace(" ", "_").replace("-", "_"): name for name in table.columns}
    ours: dict[object, str] = {}
    for column in COLUMNS:
        if column in table.columns:
            continue
        for name in (column, *COLUMN_NAMES[column]):
            if name in plain and plain[name] not in ours and plain[name] not in COLUMNS:
                ours[plain[name]] = column
                break
    return table.rename(columns=ours)


def with_our_labels(table: pd.DataFrame, label_map: Mapping[str, str] | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The table with emotions and genders in our words, and a sentence for each kind of word that we do not know.

    Where an emotion was written otherwise, the column ``label`` keeps how. An unknown word becomes ``other``; an
    unknown gender is missing.

    Args:
        table: columns under our names.
        label_map: the files' own explanation of their labels, asked where a word is none that we know.
    """
    lost = []
    if "emotion" in table:
        written = _written(table["emotion"])
        meanings, unknown = _meanings(written, EMOTION_WORDS, label_map or {})
        meant = _looked_up(written, meanings | dict.fromkeys(unknown, "other"))
        differs = written.notna() & (written != meant).fillna(True)
        if differs.any():
            own = table["label"] if "label" in table else pd.Series(None, table.index, dtype="str")
            table = table.assign(label=own.where(own.notna(), written.where(differs)))
        table = table.assign(emotion=meant)
        if unknown:
            lost.append(
                f"{_listed(unknown)} {'is' if len(unknown) == 1 else 'are'} no emotion known here; it counts as "
                '"other", and the column "label" keeps the word'
            )
    if "gender" in table:
        written = _written(table["gender"])
        meanings, unknown = _meanings(written, GENDER_WORDS, {})
        table = table.assign(gender=_looked_up(written, meanings))
        if unknown:
            lost.append(f"the gender {_listed(unknown)} is neither female nor male and is left out")
    return table, lost


def _written(column: pd.Series) -> pd.Series:
    text = column.astype("str").str.strip()
    return text.mask(column.isna() | text.str.lower().isin(NO_VALUE))


def _meanings(
    written: pd.Series, words: Mapping[str, str], explained: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What each value is in our words, where it is something, and the values that nobody knows."""
    meanings, unknown = {}, []
    for value in written.dropna().unique():
        plain = [_plain(value), _plain(str(explained.get(value, "")))]
        meaning = words.get(plain[0]) or words.get(plain[1])
        if meaning:
            meanings[value] = meaning
        elif NO_AGREEMENT.isdisjoint(plain):
            unknown.append(value)
    return meanings, unknown


def _looked_up(written: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    found = written.map(dict(meanings), na_action="ignore")
    return found.astype("str").mask(found.isna())


def _plain(word: str) -> str:
    return re.sub(r"[- ]+", "_", word.strip().lower())


def _listed(words: Iterable[str]) -> str:
    words = list(words)
    return ", ".join(f'"{word}"' for word in words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def part_of(name: str) -> str | None:
    """The part that the name of a split, file or folder says, None where it says none.

    >>> part_of("valid"), part_of("emodb_Train_fold_1"), part_of("test-clean"), part_of("angry")
    ('dev', 'train', 'test', None)
    """
    return next((PART_WORDS[word] for word in _BETWEEN_WORDS.split(name.lower()) if word in PART_WORDS), None)


def known_part(name: str, where: str) -> str:
    """The part that a split's name says.

    Raises:
        InputError: it says none.
    """
    part = part_of(name)
    if part is None:
        raise InputError(
            f'{where}: "{name}" is no part of a split known here; name it train, dev or test (or validation, eval, …)'
        )
    return part


def natural(name: str) -> list[tuple[int, str]]:
    """A key for sorting names by the numbers in them.

    >>> sorted(["fold_10", "fold_9", "10", "9"], key=natural)
    ['9', '10', 'fold_9', 'fold_10']
    """
    return [(int(piece) if piece.isdecimal() else 0, piece) for piece in re.split(r"(\d+)", name)]
