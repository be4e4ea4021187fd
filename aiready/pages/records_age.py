"""How old the newest record is, in words for the index: what an index says that changes from day to day."""

from datetime import UTC, date, datetime

from aiready.messages import Language

AGE_BLANK = "{age of the records}"
"""Stands for these words in an index that is yet to be dated."""


def records_age(up_to: str, language: Language) -> str:
    """The day of the newest record and its age today; `up_to` is blank where no record bears a date."""
    if not up_to:
        return language.say("index.no_date")
    days = (datetime.now(UTC).date() - date.fromisoformat(up_to)).days
    words = [language.say("index.records", day=language.day(up_to))]
    return " · ".join([*words, language.say("index.age", days)] if days > 0 else words)
