"""Make the index of a run: links in organisation order, status per page, age of the records, failures."""

from collections.abc import Mapping
from typing import Any

import nbformat
import pandas as pd

from aiready.atomic_files import TOO_FEW, file_stem
from aiready.charts.figures import breakable
from aiready.messages import Language
from aiready.model.units import organisation_order
from aiready.pages import sentences
from aiready.pages.markup import shared_exporter
from aiready.pages.markup.blocks import Block, Page, notes, section, table
from aiready.pages.records_age import records_age
from aiready.profile.assessment import Assessment

Status = Mapping[str, Any]
"""A page in the manifest: `page`, `status`, `reason` and, if it has them, `change`, `digest`, `as_of`, `pdf`."""
Statuses = Mapping[str, Status]
"""File name of a page -> its status."""
CHANGE_PHRASES = {
    "new": "new",
    "changed": "changed_page",
    "as before": "as_before",
    "unchanged": "unchanged",
    "earlier": "earlier",
}
"""How a page compares with the run before -> key of its phrase."""


def index_page(assessment: Assessment, statuses: Statuses, withdrawn: list[str], age: str = "") -> bytes:
    """Render `overview/index.html`: one row per unit, then failures and withdrawn pages.

    `age`: what it says of the age of the records; by default what is true today.
    """
    about, language, say = assessment.facts.about, assessment.language, assessment.language.say
    page = Page(
        title=about.get("organisation", say("index.title")),
        eyebrow=say("index.scope"),
        meta=f"{age or records_age(assessment.facts.records_up_to, language)} · {_changed(statuses, language)}",
        lang=language.code,
        notice=about.get("notice", ""),
        footer=say("index.footer"),
    )
    failed = [status for status in statuses.values() if status["status"] not in ("ok", "cancelled")]
    blocks = [
        section(_heading(failed, language), ident="handouts"),
        _portfolio(statuses, language),
        _units(assessment, statuses),
    ]
    if failed:
        failures = _failures(assessment.units, failed, language)
        blocks.append(section(say("index.failed_heading"), ident="failed") + failures)
    if withdrawn:
        why = say("index.withdrawn_why", names=language.join_names(withdrawn))
        blocks.append(section(say("index.withdrawn"), why, ident="withdrawn"))
    return render_page(page, blocks)


def _heading(failed: list[Status], language: Language) -> str:
    if not failed:
        return language.say("index.all_made")
    return language.capitalize(language.say("index.failed", len(failed)))


def _failures(units: pd.DataFrame, failed: list[Status], language: Language) -> Block:
    """What failed and why: one row per page."""
    say = language.say
    names = {f"{file_stem(unit.unit_id)}.html": str(unit.name) for unit in units.itertuples(index=False)}
    rows = pd.DataFrame(
        [(names.get(status["page"], say("index.portfolio")), _failure(status, language)) for status in failed],
        columns=[say("column.page"), say("column.why")],
    )
    return table(rows, say("index.evidence"), language) if len(rows) else Block("")


def _failure(status: Status, language: Language) -> str:
    """The cause of a failure, followed by its message, which is in English."""
    cause = _cause(status, language)
    return language.say("index.failure", status=cause, reason=status["reason"]) if status["reason"] else cause


def _cause(status: Status, language: Language) -> str:
    return language.label(f"index.status_{status['status'].replace('-', '_')}", status["status"])


def render_page(page: Page, blocks: list[Block]) -> bytes:
    """Render blocks as a page with the handout's template, without a notebook."""
    bundles = [page._repr_mimebundle_(), *({"text/html": str(block)} for block in blocks)]
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in bundles]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    text, _ = shared_exporter().from_notebook_node(book)
    return str(text).encode()


def _changed(statuses: Statuses, language: Language) -> str:
    """How many pages the latest run made new, changed, or left as before."""
    changes = [status.get("change") for status in statuses.values() if status["status"] == "ok"]
    counts = ((change, changes.count(change)) for change in ("new", "changed", "as before", "unchanged"))
    parts = [language.say(f"index.count_{change.replace(' ', '_')}", number) for change, number in counts if number]
    if not parts:
        return language.say("index.unchanged_none")
    return language.say("index.changed", changes=language.join_names(parts))


def _portfolio(statuses: Statuses, language: Language) -> Block:
    status = statuses.get("portfolio.html", {})
    name = _page_links("portfolio.html", Block.escape(language.say("index.portfolio")), status)
    purpose = language.say("index.portfolio_for", status=_page_status(status, language))
    return Block("<p>{}, {}</p>").format(name, purpose)


def _has_page(status: Status) -> bool:
    """Whether there is a page to open, of the latest run or an earlier one."""
    return bool(status) and (status["status"] == "ok" or bool(status.get("digest")))


def _page_links(address: str, name: Block, status: Status) -> Block:
    """The name of a page, which leads to it where there is one, and a link to it as PDF."""
    linked = Block('<a href="{}">{}</a>').format(address, name) if _has_page(status) else name
    pdf = Block(' (<a href="{}">PDF</a>)' if status.get("pdf") else "")
    return linked + pdf.format(address.removesuffix("html") + "pdf")


def _units(assessment: Assessment, statuses: Statuses) -> Block:
    language = assessment.language
    rows = (_row(unit, statuses, assessment) for unit in organisation_order(assessment.units).itertuples())
    headings = (language.say(key) for key in ("index.units", "column.unit", "column.status"))
    return Block(
        '<div class="scroll"><table><caption>{}</caption><thead><tr><th scope="col">{}</th>'
        '<th scope="col">{}</th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(*headings, Block().join(rows)) + notes(language.say("index.order"))


def _row(unit: Any, statuses: Statuses, assessment: Assessment) -> Block:
    page = f"{file_stem(unit.unit_id)}.html"
    status = statuses.get(page, {})
    return Block('<tr><th scope="row"{indent}>{name}</th><td>{status}</td></tr>').format(
        indent=Block(' class="depth-{}"' if unit.depth else "").format(min(unit.depth, 3)),
        name=_page_links(f"../units/{page}", breakable(str(unit.name)), status),
        status=breakable(_unit_status(unit.unit_id, status, assessment)),
    )


def _unit_status(unit_id: str, status: Status, assessment: Assessment) -> str:
    """The status of a unit: of its page and, if what its people say is hidden, why."""
    reason = sentences.why_voice_hidden(assessment, unit_id)
    if status.get("reason") == TOO_FEW:
        return sentences.say_hidden(assessment, "index.too_few", reason or sentences.EITHER)
    page = _page_status(status, assessment.language)
    return f"{page}; {sentences.say_hidden(assessment, 'index.hidden', reason)}" if reason else page


def _page_status(status: Status, language: Language) -> str:
    """The status of a page in the latest run and, if it has none from that, what remains of earlier ones."""
    if not status:
        return language.say("index.not_yet")
    if status["status"] == "ok":
        return language.say(f"index.{CHANGE_PHRASES[status.get('change', 'earlier')]}")
    cancelled = status["status"] == "cancelled"
    outcome, blanks = ("cancelled", {}) if cancelled else ("failed", {"status": _cause(status, language)})
    if not status.get("digest"):
        return language.say(f"index.{outcome}_none", **blanks)
    upto = language.day(status.get("as_of", ""))
    if upto:
        return language.say(f"index.{outcome}_upto", day=upto, **blanks)
    return language.say(f"index.{outcome}_earlier", **blanks)
