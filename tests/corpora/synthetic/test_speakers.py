from __future__ import annotations

import numpy as np

from unheard.corpora.synthetic.speakers import draw_speaker


def test_the_same_place_is_the_same_speaker() -> None:
    first, again, other = (draw_speaker(index, ("en",), 0) for index in (3, 3, 4))
    assert (first.name, first.pitch, first.formants) == (again.name, again.pitch, again.formants)
    np.testing.assert_array_equal(first.room, again.room)
    assert first.pitch != other.pitch


def test_another_seed_gives_other_speakers_with_other_names() -> None:
    first, other = draw_speaker(0, ("en",), 0), draw_speaker(0, ("en",), 1)
    assert first.name != other.name
    assert first.pitch != other.pitch


def test_sessions_pair_a_female_and_a_male_speaker_of_one_language() -> None:
    people = [draw_speaker(index, ("en", "de"), 0) for index in range(40)]
    for female, male in zip(people[0::2], people[1::2], strict=True):
        assert (female.gender, male.gender) == ("female", "male")
        assert (female.session, female.language) == (male.session, male.language)
    assert len({person.name for person in people}) == 40
    assert len({person.session for person in people}) == 20
    assert {person.language for person in people} == {"en", "de"}


def test_voices_differ_between_genders_and_overlap() -> None:
    people = [draw_speaker(index, ("en",), 0) for index in range(200)]
    female, male = ([person.pitch for person in people[start::2]] for start in (0, 1))
    assert 185 < np.median(female) < 215
    assert 108 < np.median(male) < 128
    assert min(female) < max(male)
    tract = [np.mean([frequency for frequency, _, _ in person.formants]) for person in people]
    assert np.mean(tract[0::2]) > 1.1 * np.mean(tract[1::2])
