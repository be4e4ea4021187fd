"""Summarise a team's answers for discussion: nothing below the minimum group, no single person's answer."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.instrument.model import Instrument, Settings
from aiready.measures.survey.scales import read_answers
from aiready.model.cell_values import DOES_NOT_APPLY_WORDS, DONT_KNOW_WORDS, parse_number
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW

NEARLY_ALL = 0.95
"""Largest share that is shown: an answer that everybody gave reads `95 % or more`, as on the pages."""


@dataclass(frozen=True)
class TeamSummary:
    """What may be shown of a team's answers.

    `people` answered, of whom the first `counted` are counted: counts grow in steps of the minimum group, so that two
    summaries never differ by one person. `barriers` (barrier_id, barrier, value, n): mean scores, 0-100. `items`: one
    row per item x level, as `charts.items_chart` takes them. `talk` (item_id, why, wording, now, next): questions worth
    discussing, most important first. `notes` say what is not shown, and why.
    """

    people: int
    counted: int
    barriers: pd.DataFrame
    items: pd.DataFrame
    talk: pd.DataFrame
    notes: tuple[str, ...]


def summarise_team(rows: pd.DataFrame, rules: Instrument) -> TeamSummary:
    """Summarise answers: means from the minimum group on, distributions from their own minimum on.

    Parameters
    ----------
    rows
        Rows of `responses` of one unit and wave, as text, in the order they came: `role` and the items.
    """
    group, distribution, people = rules.settings.minimum_group, rules.settings.minimum_distribution, len(rows)
    in_means = people - people % group
    in_distributions = people - (people - distribution) % group if people >= distribution else 0
    counted = max(in_means, in_distributions)
    notes = []
    if people < group:
        notes.append(
            f"{_answered_count(people)}: means are shown from {group} people on, so that nobody's answers can be told."
        )
    if people < distribution:
        notes.append(
            f"{_answered_count(people)}: how answers spread over the levels is shown from {distribution} people on; "
            "below that, a level would tell what one person said."
        )
    if counted < people and in_means:
        notes.append(f"Counted are the first {counted} of {people}; the next step comes with {group} more.")
    barriers = _barriers(rows.head(in_means), rules)
    items = _items(rows.head(in_distributions), rules)
    return TeamSummary(people, counted, barriers, items, _talk(items, rules), tuple(notes))


def _answered_count(people: int) -> str:
    return "Nobody answered yet" if not people else "1 person answered" if people == 1 else f"{people} people answered"


def typed_answers(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Answers from text to levels and codes, as when a data folder is read; text that is no answer is missing."""
    codes = {**dict.fromkeys(DOES_NOT_APPLY_WORDS, DOES_NOT_APPLY), **dict.fromkeys(DONT_KNOW_WORDS, DONT_KNOW)}
    typed = {"role": rows["role"].where(rows["role"] != "")}
    for item in rules.items["item_id"]:
        texts = rows.get(item, pd.Series("", rows.index)).astype(str).str.lower().str.replace("’", "'")
        level = texts.map(parse_number).astype(float)
        typed[item] = texts.map(codes).fillna(level.where(level.isin(range(1, rules.settings.scale_points + 1))))
    return pd.DataFrame(typed)


def _barriers(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Mean score of every barrier, one row each; no value if fewer people than the minimum group have a score."""
    answers = read_answers(typed_answers(rows, rules), rules)
    means = []
    for row in rules.barriers.itertuples():
        scores = answers.score(answers.items_of(row.barrier_id)) if len(rows) else np.array([])
        n = int((~np.isnan(scores)).sum())
        enough = n >= rules.settings.minimum_group
        value = float(np.nanmean(scores)) if enough else np.nan
        means.append({"barrier_id": row.barrier_id, "barrier": row.name, "value": value, "n": n if enough else np.nan})
    return pd.DataFrame(means, columns=["barrier_id", "barrier", "value", "n"])


def _items(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Distribution of every item that enough people answered with a level: one row per item x level."""
    columns = ["item", "item_id", "level", "share", "low", "high", "dont_know", "n"]
    typed = typed_answers(rows, rules)
    level_rows = []
    for item in rules.items.itertuples():
        answers = typed[item.item_id].dropna()
        levels = answers[answers > 0]
        if len(levels) < rules.settings.minimum_distribution:
            continue
        share = {level: (levels == level).mean() for level in range(1, rules.settings.scale_points + 1)}
        share = {level: min(value, NEARLY_ALL) for level, value in share.items()}
        ends = list(share.values())
        item_cells = {
            "item": item.facet_label, "item_id": item.item_id, "n": len(levels), "low": min(sum(ends[:2]), NEARLY_ALL),
            "high": min(sum(ends[-2:]), NEARLY_ALL), "dont_know": (answers == DONT_KNOW).mean(),
        }  # fmt: skip
        level_rows += [item_cells | {"level": level, "share": value} for level, value in share.items()]
    return pd.DataFrame(level_rows, columns=columns)


def _talk(items: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Questions to discuss: first those that divide the team, then those many cannot answer, then low answers."""
    columns = ["item_id", "why", "wording", "now", "next"]
    wordings = rules.items.set_index("item_id")
    ranked = []
    for item_id, rows in items.groupby("item_id", sort=False):
        first = rows.iloc[0]
        why, rank = _reason_to_talk(first, rules.settings)
        if not why:
            continue
        level = int((rows["share"].cumsum() >= 0.5 - 1e-9).to_numpy().argmax()) + 1
        wording = wordings.loc[item_id]
        better = wording[f"level_{level + 1}"] if level < rules.settings.scale_points else ""
        ranked.append((rank, (item_id, why, wording["wording"], wording[f"level_{level}"], better)))
    return pd.DataFrame([row for _, row in sorted(ranked, key=lambda pair: pair[0])], columns=columns)


def _reason_to_talk(item: Mapping[str, float], settings: Settings) -> tuple[str, tuple[int, float]]:
    low, high, unsure = (item[name] for name in ("low", "high", "dont_know"))
    if min(low, high) >= settings.talk_apart:
        ends = f"{theme.share(low)} at the two lowest levels, {theme.share(high)} at the two highest"
        return f"seen differently: {ends}", (0, -min(low, high))
    if unsure >= settings.dont_know_finding:
        return f"{theme.share(unsure)} do not know", (1, -unsure)
    if low >= settings.talk_missing:
        return f"{theme.share(low)} at the two lowest levels", (2, -low)
    return "", (3, 0.0)
