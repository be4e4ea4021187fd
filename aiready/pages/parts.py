"""Make the sections of a page: blocks and figures in order, as the value of one notebook cell."""

from collections.abc import Iterator

import pandas as pd

from aiready.charts.figures import Figure
from aiready.messages import ENGLISH
from aiready.pages.markup.blocks import Block, Page, section
from aiready.profile.assessment import Assessment

Part = Block | Figure | Page


class Section(list[Part]):
    """Blocks and figures of one section, which a notebook cell displays in order."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for part in self:
            display(part)


def chunked(rows: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Split a table into parts of about equal length, none longer than `size`, each with an index from 0.

    Examples
    --------
    >>> [len(part) for part in chunked(pd.DataFrame({"trial": range(25)}), 12)]
    [9, 9, 7]
    """
    parts = max(1, -(-len(rows) // size))
    length = -(-len(rows) // parts)
    for start in range(0, len(rows), length or 1):
        yield rows.iloc[start : start + length].reset_index(drop=True)


def section_heading(unit: Assessment, short: str, heading: str, *sentences: str) -> Block:
    """A section heading and the sentences below it; `short` gives its anchor, the same in every language."""
    return section(heading, *sentences, short=unit.language.say(f"short.{short}"), ident=ENGLISH.say(f"short.{short}"))


def labelled_columns(unit: Assessment, rows: pd.DataFrame, phrase_of: dict[str, str]) -> pd.DataFrame:
    """Some columns of a table under names for readers; `phrase_of`: column -> key in `column.*`."""
    return rows[list(phrase_of)].rename(
        columns={name: unit.language.say(f"column.{key}") for name, key in phrase_of.items()}
    )
