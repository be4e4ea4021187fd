"""Carry a chart with its text and its numbers from a notebook's cell to the page, and write them as HTML."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from aiready.atomic_files import slug
from aiready.charts import theme
from aiready.charts.svg import render_svg
from aiready.messages import ENGLISH, MISSING, Language
from aiready.messages.markup import Block

FIGURE_MIME = "application/vnd.aiready.figure+json"
CHARTS_VARIABLE = "AIREADY_CHARTS"
"""Environment variable; `json`: a figure is not drawn in the notebook, but when its page is rendered (batch runs)."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart in two widths, with its text and its numbers.

    `name` is its id on the page; `title` says what is shown; `subtitle` gives unit, n, wave and the kind of
    interval; `description` is for readers who cannot see it; `table` holds the numbers as readers should see
    them (text cells are shown unchanged); `caption` names the table (default: the title); `language` is that of all
    of these.
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
        """Everything the page needs, as JSON; the two specifications as text, which a notebook does not reformat."""
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
        if os.environ.get(CHARTS_VARIABLE) != "json":
            bundle["text/html"] = f"<style>{STANDALONE_CSS}</style>{figure_html(payload)}"
        return bundle


NUMBER_COLUMNS_CSS = (
    ",".join(f".r{column} tr>:nth-child({column})" for column in range(2, 25))
    + "{text-align:right;white-space:nowrap}table[class^=r] thead th{white-space:normal!important}"
)
"""Style of columns of numbers: a table lists them in its class (`r2 r3`: the second and third), not cell by cell."""
STANDALONE_CSS = (
    "figure.chart .narrow{display:none}figure.chart table{border-collapse:collapse;font-size:.9em}"
    "figure.chart td,figure.chart th{padding:.15em .8em .15em 0;text-align:left}"
    f"{NUMBER_COLUMNS_CSS}figure.chart{{margin:1em 0;padding:.5em;background:{theme.PAPER};"
    f"color:{theme.INK};font-family:{theme.FONT}}}"
)
"""Just enough style for a figure outside the handout (JupyterLab, plain nbconvert)."""


def specification(chart: alt.TopLevelMixin | Spec) -> Spec:
    """A chart as Vega-Lite JSON with this package's theme, whichever theme is enabled in the session."""
    if isinstance(chart, dict):
        return chart
    spec: Spec = chart.to_dict(validate=False)  # the tests validate, so a run of many reports need not
    return {**spec, "config": theme.config()}


def _compact(spec: Spec) -> str:
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def cell_text(cell: Any, language: Language = ENGLISH) -> str:
    """A table cell as text: whole numbers without decimals, others with two, a dash for a missing one."""
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        return MISSING
    if isinstance(cell, float):
        return language.number(cell, 0 if cell == round(cell) else 2)
    return str(cell)


def figure_html(payload: Mapping[str, Any], ident: str = "", short: str = "") -> Block:
    """A figure as HTML: heading, subtitle, both widths, and the numbers one click away.

    `ident` is its anchor on the page (default: its name); `short` starts the ids within its pictures (default: the
    anchor).
    """
    ident = f"fig-{html_id(ident or payload['name'])}"
    title, description = payload["title"], payload["description"]
    wide_id, narrow_id = f"{short or ident}-w", f"{short or ident}-n"
    wide = render_svg(payload["wide"], wide_id, title, description)
    narrow = render_svg(payload["narrow"], narrow_id, title, description, described_by=wide_id)
    return Block(
        '<figure class="chart" id="{}"><figcaption><h3>{}</h3><p class="sub">{}</p></figcaption>'
        '<div class="wide">{}</div><div class="narrow">{}</div>{}</figure>'
    ).format(ident, title, payload["subtitle"], wide, narrow, _number_table(payload))


def _number_table(payload: Mapping[str, Any]) -> Block:
    """The numbers of a figure in a closed `<details>`; empty without numbers."""
    if not payload["rows"]:
        return Block()
    language, caption = language_of(payload), payload["caption"]
    table = scrollable(table_html(payload["columns"], payload["rows"], caption, language), caption)
    markup = Block('<details><summary>{}<span class="unseen">: {}</span></summary>{}</details>')
    return markup.format(language.say("page.show_numbers"), payload["title"], table)


def language_of(payload: Mapping[str, Any]) -> Language:
    """The language of a figure's payload."""
    return Language(payload.get("lang", ENGLISH.code))


def scrollable(table: Block, caption: str) -> Block:
    """Wrap a table so that it scrolls sideways, also by keyboard, where the screen is too narrow."""
    markup = Block('<div class="scroll" tabindex="0" role="group" aria-label="{}">{}</div>')
    return markup.format(caption, table)


def table_html(columns: list[str], rows: list[list[str]], caption: str, language: Language = ENGLISH) -> Block:
    """An accessible table: caption, column and row headers with scope, numbers aligned right.

    Examples
    --------
    >>> '<th scope="row">Claims<td>86' in table_html(["unit", "n"], [["Claims", "86"]], "Who answered")
    True

    Notes
    -----
    Cells and rows have no end tags, which HTML allows and saves space: a page holds thousands.
    """
    numeric = [column for column in range(1, len(columns)) if _numeric([row[column] for row in rows], language)]
    numeric_class = Block(' class="{}"' if numeric else "").format(" ".join(f"r{column + 1}" for column in numeric))
    head = Block().join(map(Block('<th scope="col">{}</th>').format, columns))
    body = Block().join(Block('<tr><th scope="row">') + Block("<td>").join(map(breakable, row)) for row in rows)
    markup = Block("<table{}><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    return markup.format(numeric_class, caption, head, body)


_OVERLONG, _PIECE = re.compile(r"(\S{31,})"), 12
"""Words too long for any column of a table, and after how many characters they may break."""


def breakable(text: str) -> Block:
    """A text as HTML in which overlong words may break: unbroken, they would push other columns out of sight.

    Examples
    --------
    >>> breakable("R&D"), breakable("x" * 31).count("<wbr>")
    (Block('R&amp;D'), 2)
    """
    if len(text) <= _PIECE:
        return Block.escape(text)
    pieces = ([word[start : start + _PIECE] for start in range(0, len(word), _PIECE)] if _OVERLONG.fullmatch(word)
              else [word] for word in _OVERLONG.split(text))  # fmt: skip
    return Block().join(map(Block("<wbr>").join, pieces))


def _numeric(cells: list[str], language: Language) -> bool:
    """Whether most cells of a column are numbers (a missing number may be replaced by the reason)."""
    texts = [cell for cell in cells if cell not in ("", MISSING)]
    return 2 * sum(map(language.is_number, texts)) > len(texts)


def html_id(text: str) -> str:
    """A text as an HTML id of lower-case ASCII letters, digits and hyphens.

    Examples
    --------
    >>> html_id("Trust & governance: say, do"), html_id("信任")
    ('trust-governance-say-do', 'part')
    """
    return slug(text) or "part"
