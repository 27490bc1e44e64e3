"""Who says what with which emotion: how far the speaker predicts the emotion is set here."""

from __future__ import annotations

from collections.abc import Sequence

from unheard.seeds import generator


def assign_emotions(speakers: int, utterances: int, emotions: Sequence[str], bias: float, seed: int) -> list[list[str]]:
    """The emotion of every utterance: a row per speaker, in which the order is random.

    Speakers 2k (female) and 2k + 1 (male) form a session. Each speaker has a dominant emotion, which is balanced over
    speakers and over genders as far as their numbers allow. A share ``bias`` of a speaker's utterances has it; the
    rest is spread evenly over all emotions. So with 0 the speaker says nothing about the emotion (where the
    utterances divide evenly), with 1 everything.

    >>> assign_emotions(4, 3, ["happy", "sad"], bias=1.0, seed=0)
    [['happy', 'happy', 'happy'], ['sad', 'sad', 'sad'], ['sad', 'sad', 'sad'], ['happy', 'happy', 'happy']]
    """
    sessions = speakers // 2
    order = generator(seed, "synthetic", "dominant").permutation(sessions)
    # The males go on where the females stop, so that an incomplete last round favours no emotion.
    shift = sessions % len(emotions) or len(emotions) // 2
    own = round(bias * utterances)
    rows = []
    for speaker in range(speakers):
        dominant = int(order[speaker // 2]) + (shift if speaker % 2 else 0)
        places = [dominant] * own + [dominant + 1 + turn for turn in range(utterances - own)]
        row = [emotions[place % len(emotions)] for place in places]
        generator(seed, "synthetic", "order", speaker).shuffle(row)
        rows.append(row)
    return rows
