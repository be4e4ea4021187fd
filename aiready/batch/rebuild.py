"""Decide whether a page must be made again, and why: compare its inputs with those it was made from."""

from collections.abc import Mapping

from aiready.batch.page_inputs import FACTS_PART, MIXED_PART, TOTAL_PART

WORDS = {
    "responses": "answers",
    "invitations": "invitations",
    "initiatives": "initiatives",
    "usage": "usage",
    "trials": "trials",
    "tasks": "tasks",
    "workflow_steps": "workflow steps",
    "decisions": "decisions",
    "feedback": "feedback",
    "probes": "probes",
    "actions": "agreed actions",
    "units": "units",
    TOTAL_PART: "the organisation's total",
    "notebook": "notebook",
    "parameters": "parameters",
    "language": "language",
    "questionnaire": "questionnaire",
    "package": "package",
    "libraries": "libraries",
}
"""What a page depends on, in the words of the log."""
CALCULATED = {MIXED_PART: "results", FACTS_PART: "dates and notes"}
"""Parts computed from others: named only where nothing else changed."""
NEW_PAGE, FORCED = "new", "asked for by --force"


def reason_to_rebuild(now: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Why a page must be made: the inputs that differ from those of the existing page; empty where none does.

    Examples
    --------
    >>> reason_to_rebuild({"responses": "b", "profile": "d"}, {"responses": "a", "profile": "c"})
    'answers changed'
    >>> reason_to_rebuild({"tasks": "a"}, {"tasks": "a"})
    ''
    """
    if not before:
        return NEW_PAGE
    different = [part for part in {**now, **before} if now.get(part) != before.get(part)]
    inputs = [WORDS[part] for part in WORDS if part in different]
    calculated = [CALCULATED.get(part, part) for part in different if part not in WORDS]
    words = inputs or calculated
    return f"{', '.join(words)} changed" if words else ""
