"""The index of a run: links in organisation order, status per page, age of the records, what failed and why."""

from datetime import UTC, date, datetime
from typing import Any

import nbformat
import pandas as pd

from aiready import narrative
from aiready.assessment import Assessment
from aiready.html import HandoutExporter
from aiready.html.blocks import Block, Page, escape, notes, section, table
from aiready.publication import slug

CHANGE = {
    "new": "new in the latest run",
    "changed": "changed in the latest run",
    "as before": "made again in the latest run, as before",
    "unchanged": "unchanged: nothing it depends on has changed",
    "earlier": "from an earlier run",
}


def index_page(assessment: Assessment, statuses: dict[str, dict], withdrawn: list[str]) -> bytes:
    """Render `overview/index.html`: one row per unit, then failures and withdrawn pages."""
    about = assessment.facts.about
    page = Page(
        title=about.get("organisation", "AI last-mile assessment"),
        eyebrow="AI last-mile assessment · index of handouts",
        meta=f"{_age(assessment.facts.as_of)} · {_changed(statuses)}",
        notice=about.get("notice", ""),
        footer="Each handout is for its unit; this index and the portfolio are for the sponsors.",
    )
    failed = [status for status in statuses.values() if status["status"] not in ("ok", "cancelled")]
    blocks = [
        section(_heading(failed), ident="handouts"),
        _portfolio(statuses),
        _units(assessment.units, statuses),
    ]
    if failed:
        blocks.append(section("What failed, and why", ident="failed") + _failures(assessment.units, failed))
    if withdrawn:
        blocks.append(
            section(
                "Withdrawn",
                "These units are gone or too small to show, and their handouts withdrawn: "
                + narrative.listed(withdrawn)
                + ".",
            )
        )
    return page_of(page, blocks)


def _heading(failed: list[dict]) -> str:
    if not failed:
        return "Every page of the latest run was made"
    return narrative.capital(narrative.counted(len(failed), "page")) + " of the latest run failed"


def _failures(units: pd.DataFrame, failed: list[dict]) -> Block:
    """What failed and why: one row per page."""
    names = {f"{slug(unit.unit_id)}.html": str(unit.name) for unit in units.itertuples(index=False)}
    rows = pd.DataFrame(
        [
            (names.get(status["page"], "Portfolio"), f"{status['status']}: {status['reason']}".rstrip(": "))
            for status in failed
        ],
        columns=["Page", "Why"],
    )
    return table(rows, "The evidence lies in records/failed") if len(rows) else Block("")


def page_of(page: Page, blocks: list[Block]) -> bytes:
    """Render blocks as a page of the handout's template, with no notebook behind it."""
    shown = [page._repr_mimebundle_(), *({"text/html": block.markup} for block in blocks)]
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in shown]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    text, _ = HandoutExporter().from_notebook_node(book)
    return str(text).encode()


def _age(as_of: str) -> str:
    if not as_of:
        return "the records carry no date"
    days = (datetime.now(UTC).date() - date.fromisoformat(as_of)).days
    age = f" · newest record {days} days old" if days > 0 else ""
    return f"records up to {narrative.day_words(as_of)}{age}"


def _changed(statuses: dict[str, dict]) -> str:
    """What the latest run changed, in a few words."""
    made = [status.get("change") for status in statuses.values() if status["status"] == "ok"]
    counts = ((change, made.count(change)) for change in ("new", "changed", "as before", "unchanged"))
    told = narrative.listed(f"{narrative.in_words(number)} {change}" for change, number in counts if number)
    return f"pages of the latest run: {told or 'none'}"


def _portfolio(statuses: dict[str, dict]) -> Block:
    status = statuses.get("portfolio.html", {})
    name = '<a href="portfolio.html">Portfolio</a>' if _there(status) else "Portfolio"
    return Block(f"<p>{name}{_pdf('portfolio.pdf', status)}, for the sponsors: {escape(_words(status))}</p>")


def _there(status: dict) -> bool:
    """Whether there is a page to open: of the latest run or an earlier one."""
    return bool(status) and (status["status"] == "ok" or bool(status.get("digest")))


def _pdf(address: str, status: dict) -> str:
    """A link to the printed page, where there is one."""
    return f' (<a href="{escape(address)}">PDF</a>)' if status.get("pdf") else ""


def _units(units: pd.DataFrame, statuses: dict[str, dict]) -> Block:
    rows = "".join(_row(unit, statuses) for unit in in_order(units).itertuples())
    return Block(
        '<div class="scroll"><table><caption>One handout per unit</caption><thead><tr><th scope="col">Unit</th>'
        f'<th scope="col">Status</th></tr></thead><tbody>{rows}</tbody></table></div>'
    ) + notes("Units stand in the order of the organisation, not by any score.")


def _row(unit: Any, statuses: dict[str, dict]) -> str:
    page = f"{slug(unit.unit_id)}.html"
    status = statuses.get(page, {})
    indent = f' class="depth-{min(unit.depth, 3)}"' if unit.depth else ""
    name = escape(str(unit.name))
    linked = f'<a href="../units/{escape(page)}">{name}</a>' if _there(status) else name
    return (
        f'<tr><th scope="row"{indent}>{linked}'
        f"{_pdf('../units/' + page.removesuffix('html') + 'pdf', status)}</th>"
        f"<td>{escape(_words(status))}</td></tr>"
    )


def _words(status: dict) -> str:
    if not status:
        return "not made yet"
    state = status["status"]
    if state == "ok":
        return CHANGE[status.get("change", "earlier")]
    tried = "not made in the latest run" if state == "cancelled" else f"failed in the latest run ({state})"
    if not status.get("digest"):
        return f"{tried}; there is no page" + (f": {status['reason']}" if state == "cancelled" else " yet")
    upto = narrative.day_words(status.get("as_of", ""))
    return f"{tried}; the page is from an earlier run" + (f", records up to {upto}" if upto else "")


def in_order(units: pd.DataFrame) -> pd.DataFrame:
    """Units as the organisation is built: each parent before its children, with `depth` 0, 1, ..."""
    children: dict[str, list[str]] = {}
    parents = units.set_index("unit_id")["parent_id"]
    for unit_id, parent in parents.items():
        children.setdefault(parent if isinstance(parent, str) else "", []).append(str(unit_id))
    order: list[tuple[str, int]] = []
    waiting = [(unit_id, 0) for unit_id in reversed(children.get("", []))]
    while waiting:
        unit_id, depth = waiting.pop()
        order.append((unit_id, depth))
        waiting.extend((child, depth + 1) for child in reversed(children.get(unit_id, [])))
    placed = pd.DataFrame(order, columns=["unit_id", "depth"])
    return placed.merge(units, on="unit_id")
