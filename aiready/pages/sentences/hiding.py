"""Say why something is hidden: its own people are too few, or it protects another group."""

from collections.abc import Iterable

from aiready.messages import FEW, PROTECTS, suppression_reason
from aiready.model.registry import ALL, OK, SUPPRESSED
from aiready.profile.assessment import Assessment

EITHER = "either"
"""The reason if results do not tell which of the two it is."""


def why_hidden(notes: Iterable[str]) -> str:
    """The reason why figures are hidden, from the notes on them; of several reasons, EITHER first, then FEW.

    Examples
    --------
    >>> why_hidden([]), why_hidden(["hidden to protect another group"])
    ('', 'protects')
    """
    reasons = {suppression_reason(note) or EITHER for note in notes}
    return next((reason for reason in (EITHER, FEW, PROTECTS) if reason in reasons), "")


def say_hidden(unit: Assessment, key: str, reason: str, **blanks: str) -> str:
    """Say a phrase in its variant for the reason; for too few people, with the smallest number that may be shown."""
    if reason == EITHER:
        return unit.language.say(key, **blanks)
    people = {"people": unit.language.number(unit.rules.settings.minimum_group)} if reason == FEW else {}
    return unit.language.say(f"{key}_{reason}", **blanks, **people)


def why_voice_hidden(organisation: Assessment, unit_id: str) -> str:
    """Why nothing that people of a unit say in the wave shown is visible; empty if something is, or nobody answered."""
    rows = organisation.cells(unit_id, "perception")
    perceptions = rows.loc[(rows["segment"] == ALL) & (rows["wave"] == organisation.facts.wave)]
    return (
        ""
        if (perceptions["status"] == OK).any()
        else why_hidden(perceptions.loc[perceptions["status"] == SUPPRESSED, "note"])
    )


def why_survey_hidden(unit: Assessment) -> str:
    """Why what people of the unit say in the wave shown is hidden; empty if it is not."""
    return why_voice_hidden(unit, unit.unit_id)


def hidden_barriers(unit: Assessment) -> dict[str, str]:
    """Barriers for which what people say is hidden: barrier_id -> reason."""
    rows = unit.cells(unit.unit_id, "perception")
    hidden_rows = rows.loc[
        (rows["segment"] == ALL) & (rows["wave"] == unit.facts.wave) & (rows["status"] == SUPPRESSED)
    ]
    return {
        barrier_id: why_hidden([note])
        for barrier_id, note in zip(hidden_rows["barrier_id"], hidden_rows["note"], strict=True)
    }
