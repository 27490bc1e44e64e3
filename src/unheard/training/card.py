"""The model card: what a recognizer was trained on, how well it does on unheard speakers, what it is not for."""

from __future__ import annotations

from typing import Any

from unheard.recipe import Recipe


def model_card(recipe: Recipe, emotions: tuple[str, ...], facts: dict[str, Any]) -> str:
    """Markdown for people who find the folder."""
    test = facts["test"]
    heard = "speakers it never heard" if facts["speaker_independent"] else "speakers IT HAD HEARD in training"
    synthetic = (
        "\n**Trained on synthesized speech.** It shows how the tool works; it is no recognizer of real voices.\n"
        if facts["synthetic"]
        else ""
    )
    further = f", with speech of {facts['auxiliary']} that has no emotion labels" if "auxiliary" in facts else ""
    return f"""# {recipe.name}

{recipe.about}
{synthetic}
- Emotions: {", ".join(emotions)}
- Trained on: {facts["corpus"]} (hash {facts["corpus_hash"]}){further}
- Protocol: `{facts["protocol"]}`, fold {facts["fold"]}, seed {facts["seed"]}
- Tested on {test["n"]} utterances of {heard}: UA {test["ua"]:.1%}, WA {test["wa"]:.1%}
- Input: speech of one person, any length from 25 ms, any format; it is brought to 16 kHz mono
- Output: one probability per emotion, not calibrated

Emotion labels of a corpus are what its actors meant or its raters heard, not what a person feels. Do not use this
to judge people: not in hiring, policing, schools, medicine or anything else where a wrong label harms somebody.

Use: `unheard predict AUDIO --model THIS_FOLDER`
"""
