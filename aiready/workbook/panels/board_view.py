"""Render a task board as HTML: totals, today beside target, what hours wait on, collaboration patterns."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from aiready.charts import theme
from aiready.model.registry import MEASURES
from aiready.workbook.capture.task_board import Board, Totals
from aiready.workbook.panels.frame import message_html

WORDS = {
    "task": "Task: a verb and its object", "headcount": "Holders of the job",
    "hours_per_year": "Hours a year, per person",
    "mode": "Who does it today", "target_mode": "Who should do it", "pattern": "Collaboration pattern",
    "exposure": "Exposure", "expected_saving": "Expected saving, 0–1", "adoption": "Adoption, 0–1",
    "observed_saving": "Observed saving, −1–1", "rework": "Rework, 0–1", "oversight_hours": "Checking, hours a year",
    "evidence": "How the saving is known", "blocker": "What open hours wait on", "freed_for": "What freed time is for",
}  # fmt: skip
EXPOSURE = (("Not known", ""), ("E0: none", "E0"), ("E1: a model alone halves the time", "E1"),
             ("E2: only with added software", "E2"))  # fmt: skip
DO = (("Change the task", "change"), ("Add a task", "add"), ("Split the task", "split"),
       ("Merge with others", "merge"), ("Remove the task", "remove"),
       ("Begin from a task library", "library"))  # fmt: skip
"""Labels of a task's columns; what exposure means; what can be done with the board."""
_TONES = {"human": ("#6f7d88", "#fff"), "augment": ("#0a6a8f", "#fff"), "automate": ("#b4560b", "#fff")}
_PARTS = {
    "gap_not_adopted": "not adopted", "gap_saving_below_plan": "saving below plan", "gap_rework": "rework",
    "gap_oversight": "checking",
}  # fmt: skip
_HEADS = ("Task", "Today", "Target", "Hours", "Potential", "Realised", "Gap", "Waits on", "Freed for")


def totals_html(totals: Totals, warnings: list[str]) -> str:
    """The totals of a job as HTML: the gap and its parts, hours per holder and week, and warnings."""
    notes = "".join(message_html(text, "warning") for text in warnings)
    if totals.hidden:
        return message_html(totals.hidden, "warning") + notes
    hours, weekly = totals.hours, totals.per_week
    holders = f"{totals.holders:.0f} holders" if pd.notna(totals.holders) else "one person; give the holders"
    parts = " + ".join(f"{theme.number(hours[name])} {words}" for name, words in _PARTS.items())
    unknown_followup = (
        f" For {theme.number(hours['unfollowed'])} hours of it the follow-up is not known."
        if hours["unfollowed"]
        else ""
    )
    lines = (
        f"<p><b>{theme.number(hours['gap'])} hours a year lie between what AI could save and what it saves</b> "
        f"({holders}; {theme.number(weekly['gap'], 1)} hours per holder and week).</p>"
        f"<p>{theme.number(hours['potential'])} potential − {theme.number(hours['realised'])} realised = "
        f"{parts}.{unknown_followup}</p>"
        "<p class='aiready-muted'>Hours are minutes spread over many tasks and people; they assume that checking is "
        "done, and they are no posts.</p>"
    )
    return lines + modes_html(totals.modes) + notes


def modes_html(modes: pd.DataFrame) -> str:
    """Bars of hours by who does the tasks, today above target."""
    bars = []
    for name, words in (("today", "Today"), ("target", "Target")):
        shares = modes[["mode", f"{name}_share"]].itertuples(index=False)
        cells = "".join(_bar(mode, share) for mode, share in shares if share)
        text = ", ".join(f"{row.mode} {theme.number(getattr(row, name))}" for row in modes.itertuples())
        bars.append(
            f"<div style='display:flex;align-items:center;gap:8px;margin:3px 0'><span style='width:52px'>{words}</span>"
            f"<div role='img' aria-label='{words}, hours a year: {text}' "
            f"style='display:flex;flex:1;max-width:720px;height:24px'>{cells}</div></div>"
        )
    return f"<div>{''.join(bars)}</div>"


def _bar(mode: str, share: float) -> str:
    fill, ink = _TONES[mode]
    label = f"{mode} {theme.share(share)}" if share > 0.12 else ""
    return (
        f"<span aria-hidden='true' style='width:{100 * share:.2f}%;background:{fill};color:{ink};"
        f"font-size:12px;line-height:24px;padding:0 6px;box-sizing:border-box;overflow:hidden;white-space:nowrap;"
        f"border-right:2px solid var(--jp-layout-color0)'>{label}</span>"
    )


def board_html(board: Board, chosen: str, blockers: Mapping[str, str], *, hidden: bool) -> str:
    """The board as a table, one row per task: who does it today and who should, its hours, what they wait on."""
    rows = board.hours
    numbers = ("hours", "potential", "realised", "gap")
    head = "".join(f"<th scope='col'{_number_class(name)}>{name}</th>" for name in _HEADS)
    lines = []
    for task, row in zip(board.tasks.to_dict("records"), rows.to_dict("records"), strict=True):
        texts = ["hidden" if hidden else theme.number(row[name]) for name in numbers]
        cells = "".join(f"<td class='number'>{cell}</td>" for cell in texts)
        target = task["target_mode"] or task["mode"]
        style = " style='font-weight:600'" if target != task["mode"] and task["mode"] else ""
        lines.append(
            f"<tr{' class=chosen' if task['task_id'] == chosen else ''}><th scope='row'>{escape(task['task'])}</th>"
            f"<td>{task['mode'] or '–'}</td><td{style}>{'→&nbsp;' if style else ''}{target or '–'}</td>{cells}"
            f"<td>{escape(blockers.get(task['blocker'], task['blocker'] or '–'))}</td>"
            f"<td>{escape(task['freed_for'] or 'not decided')}</td></tr>"
        )
    caption = f"{escape(board.job)}: {len(board.tasks)} tasks, hours a year of all holders"
    table = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f"<div class='scroll' tabindex='0' role='region' aria-label='{caption}'>{table}</div>"


def _number_class(name: str) -> str:
    return " class='number'" if name in ("Hours", "Potential", "Realised", "Gap") else ""


def pattern_html(patterns: pd.DataFrame, pattern_id: str) -> str:
    """A collaboration pattern: when it fits, the oversight it needs, how it fails, and which measure watches it."""
    rows = patterns[patterns["pattern_id"] == pattern_id]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    parts = {"Fits when": "fits_when", "Oversight": "oversight", "Fails by": "fails_by", "Watched by": "measure"}
    texts = {**row, "measure": MEASURES[row["measure"]].label if row["measure"] in MEASURES else row["measure"]}
    lines = "".join(f"<li><b>{words}:</b> {escape(str(texts[name]))}</li>" for words, name in parts.items())
    return f"<div class='aiready-message'><b>{escape(row['name'])}</b><ul>{lines}</ul></div>"
