"""Figures: how a chart, its text and its numbers travel together, from a notebook's cell to the page."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import altair as alt
import pandas as pd

from aiready.charts import theme
from aiready.charts.svg import render_svg
from aiready.messages import ENGLISH, NOTHING, Language

FIGURE_MIME = "application/vnd.aiready.figure+json"
CHARTS = "AIREADY_CHARTS"
"""Environment variable: `json` leaves the drawing to whoever renders the page (batch runs)."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart in two widths, what it shows in words, and its numbers.

    `name` is its id in the page; `title` says what is shown; `subtitle` unit, n, wave and what the interval
    is; `description` what somebody who cannot see it should know; `table` the numbers as a reader should see
    them (text cells are shown as they are); `caption` names the table, the title by default; `language` is that of all
    of them.
    """

    name: str
    title: str
    subtitle: str
    wide: alt.TopLevelMixin | Spec
    narrow: alt.TopLevelMixin | Spec
    table: pd.DataFrame = field(repr=False)
    description: str = ""
    caption: str = ""
    language: Language = ENGLISH

    def payload(self) -> Spec:
        """Everything the page needs, as JSON; the two specifications as text, which a notebook keeps as it is."""
        wide, narrow = specification(self.wide), specification(self.narrow)
        return {
            "name": self.name,
            "title": self.title,
            "subtitle": self.subtitle,
            "description": self.description or wide.get("description", self.title),
            "wide": _compact(wide),
            "narrow": _compact(narrow),
            "columns": [str(column) for column in self.table.columns],
            "rows": [[cell_text(cell, self.language) for cell in row] for row in self.table.itertuples(index=False)],
            "caption": self.caption or self.title,
            "lang": self.language.code,
        }

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The figure as JSON; in an interactive session also as drawn HTML, which needs no network."""
        payload = self.payload()
        bundle: dict[str, Any] = {FIGURE_MIME: payload, "text/plain": f"{self.title}. {self.subtitle}"}
        if os.environ.get(CHARTS) != "json":
            bundle["text/html"] = f"<style>{STANDALONE}</style>{figure_html(payload)}"
        return bundle


ALIGNED = (
    ",".join(f".r{place} tr>:nth-child({place})" for place in range(2, 25))
    + "{text-align:right;white-space:nowrap}table[class^=r] thead th{white-space:normal!important}"
)
"""Columns of numbers, by their place: a table names them once, in its class (`r2 r3`), not in every cell."""
STANDALONE = (
    "figure.chart .narrow{display:none}figure.chart table{border-collapse:collapse;font-size:.9em}"
    "figure.chart td,figure.chart th{padding:.15em .8em .15em 0;text-align:left}"
    f"{ALIGNED}figure.chart{{margin:1em 0;padding:.5em;background:{theme.PAPER};"
    f"color:{theme.INK};font-family:{theme.FONT}}}"
)
"""Just enough style for a figure outside the handout (JupyterLab, plain nbconvert)."""


def specification(chart: alt.TopLevelMixin | Spec) -> Spec:
    """A chart as Vega-Lite JSON in this package's look, whatever theme the session has on."""
    if isinstance(chart, dict):
        return chart
    spec: Spec = chart.to_dict(validate=False)  # the tests validate; a run of many reports need not again
    return {**spec, "config": theme.config()}


def _compact(spec: Spec) -> str:
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def cell_text(cell: Any, language: Language = ENGLISH) -> str:
    """A table cell as text: whole numbers whole, others to two places, missing ones a dash."""
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        return NOTHING
    if isinstance(cell, float):
        return language.number(cell, 0 if cell == round(cell) else 2)
    return str(cell)


def figure_html(payload: Mapping[str, Any], ident: str = "", short: str = "") -> str:
    """A figure as HTML: heading, subtitle, both widths, the numbers one click away.

    `ident` is its anchor on the page; `short`, where given, what the ids within its pictures begin with.
    """
    ident = f"fig-{slug(ident or payload['name'])}"
    title, told = payload["title"], payload["description"]
    wide_id, narrow_id = f"{short or ident}-w", f"{short or ident}-n"
    wide = render_svg(payload["wide"], wide_id, title, told)
    narrow = render_svg(payload["narrow"], narrow_id, title, told, described_by=wide_id)
    drawn = f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
    return (
        f'<figure class="chart" id="{ident}"><figcaption><h3>{escape(title)}</h3>'
        f'<p class="sub">{escape(payload["subtitle"])}</p></figcaption>{drawn}'
        f"{_numbers(payload)}</figure>"
    )


def _numbers(payload: Mapping[str, Any]) -> str:
    """The numbers behind a figure, folded; nothing where there are none."""
    if not payload["rows"]:
        return ""
    language, caption = spoken(payload), payload["caption"]
    shown = scrolling(table_html(payload["columns"], payload["rows"], caption, language), caption)
    named = f'{escape(language.say("page.show_numbers"))}<span class="unseen">: {escape(payload["title"])}</span>'
    return f"<details><summary>{named}</summary>{shown}</details>"


def spoken(payload: Mapping[str, Any]) -> Language:
    """The language of a figure as it travels."""
    return Language(payload.get("lang", ENGLISH.code))


def scrolling(table: str, caption: str) -> str:
    """A table that scrolls sideways, also by keyboard, where a narrow screen has no room for it."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(caption)}">{table}</div>'


def table_html(columns: list[str], rows: list[list[str]], caption: str, language: Language = ENGLISH) -> str:
    """An accessible table: caption, column and row headers with scope, numbers to the right.

    Examples
    --------
    >>> '<th scope="row">Claims<td>86' in table_html(["unit", "n"], [["Claims", "86"]], "Who answered")
    True

    Notes
    -----
    Cells and rows end where the next begins, as HTML allows: a page holds thousands.
    """
    right = [place for place in range(1, len(columns)) if _numeric([row[place] for row in rows], language)]
    aligned = f' class="{" ".join(f"r{place + 1}" for place in right)}"' if right else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{breakable(row[0])}' + "".join(f"<td>{breakable(cell)}" for cell in row[1:])
        for row in rows
    )
    return (
        f"<table{aligned}><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


_OVERLONG, _PIECE = re.compile(r"(\S{31,})"), 12
"""Words that no column of a table has room for, and after how many letters they may break."""


def breakable(text: str) -> str:
    """A text as HTML whose overlong words may break: in a table they would push all else out of sight.

    Examples
    --------
    >>> breakable("R&D"), breakable("x" * 31).count("<wbr>")
    ('R&amp;D', 2)
    """
    if len(text) <= _PIECE or not _OVERLONG.search(text):
        return escape(text)
    parts = _OVERLONG.split(text)
    cut = ([word[at : at + _PIECE] for at in range(0, len(word), _PIECE)] for word in parts[1::2])
    broken = ("<wbr>".join(map(escape, pieces)) for pieces in cut)
    return "".join(piece for pair in zip(map(escape, parts[::2]), [*broken, ""], strict=True) for piece in pair)


def _numeric(cells: list[str], language: Language) -> bool:
    """Whether a column holds numbers: most of what it says, since an absent one may say why."""
    told = [cell for cell in cells if cell not in ("", NOTHING)]
    return 2 * sum(map(language.is_number, told)) > len(told)


def slug(text: str) -> str:
    """Lower-case ascii id of a text.

    Examples
    --------
    >>> slug("Trust & governance: say, do"), slug("信任")
    ('trust-governance-say-do', 'part')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"
