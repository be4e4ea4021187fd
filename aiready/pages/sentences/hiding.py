"""Why something is hidden: for its own people, who are too few, or to protect another group."""

from collections.abc import Iterable

from aiready.messages import FEW, PROTECTS, reason_of
from aiready.model.registry import ALL, OK, SUPPRESSED
from aiready.profile.assessment import Assessment

EITHER = "either"
"""The reason where results leave open which of the two it is."""


def why_hidden(notes: Iterable[str]) -> str:
    """The reason for which figures are hidden, by the notes on them; too few people where that is one of several.

    Examples
    --------
    >>> why_hidden([]), why_hidden(["hidden to protect another group"])
    ('', 'protects')
    """
    reasons = {reason_of(note) or EITHER for note in notes}
    return next((reason for reason in (EITHER, FEW, PROTECTS) if reason in reasons), "")


def say_hidden(unit: Assessment, key: str, reason: str, **blanks: str) -> str:
    """A phrase in the variant that gives the reason, with the smallest number of people that may be shown."""
    if reason == EITHER:
        return unit.language.say(key, **blanks)
    people = {"people": unit.language.number(unit.rules.settings.minimum_group)} if reason == FEW else {}
    return unit.language.say(f"{key}_{reason}", **blanks, **people)


def hidden_voice(whole: Assessment, unit_id: str) -> str:
    """Why nothing that people of a unit say in the wave shown can be seen; empty where something can, or nothing is."""
    rows = whole.cells(unit_id, "perception")
    mine = rows.loc[(rows["segment"] == ALL) & (rows["wave"] == whole.facts.wave)]
    return "" if (mine["status"] == OK).any() else why_hidden(mine.loc[mine["status"] == SUPPRESSED, "note"])


def survey_hidden(unit: Assessment) -> str:
    """Why what people of the unit say in the wave shown is hidden; empty where it is not."""
    return hidden_voice(unit, unit.unit_id)


def hidden_barriers(unit: Assessment) -> dict[str, str]:
    """Barriers of which what people say is hidden, and why: barrier_id -> reason."""
    rows = unit.cells(unit.unit_id, "perception")
    mine = rows.loc[(rows["segment"] == ALL) & (rows["wave"] == unit.facts.wave) & (rows["status"] == SUPPRESSED)]
    return {barrier_id: why_hidden([note]) for barrier_id, note in zip(mine["barrier_id"], mine["note"], strict=True)}
