"""What a team said together, and where it is worth talking: nothing below the minimum group, nobody's answer alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiready.charts import theme
from aiready.instrument.model import Instrument, Settings
from aiready.measures.survey.scales import read_answers
from aiready.model.cell_values import SAYS_DOES_NOT_APPLY, SAYS_DONT_KNOW
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW

NEARLY_ALL = 0.95
"""An answer of all is shown as `95 % or more`, as on the pages."""


@dataclass(frozen=True)
class Spread:
    """What may be shown of a team.

    `people` answered, of whom the first `shown` are counted: the picture is renewed in steps of the minimum group, so
    that two looks at it never differ by one person. `barriers` (barrier_id, barrier, value, n): mean scores, 0-100.
    `items`: one row per item x level, as `charts.items_chart` takes them. `talk` (item_id, why, wording, now, next):
    where to talk, first things first. `notes` say what is not shown, and why.
    """

    people: int
    shown: int
    barriers: pd.DataFrame
    items: pd.DataFrame
    talk: pd.DataFrame
    notes: tuple[str, ...]


def spread(rows: pd.DataFrame, rules: Instrument) -> Spread:
    """Means from the minimum group on, distributions from the minimum for distributions on.

    Parameters
    ----------
    rows
        Rows of `responses` of one unit and wave, as text, in the order they came: `role` and the items.
    """
    settings = rules.settings
    few, many, people = settings.minimum_group, settings.minimum_distribution, len(rows)
    shown = people - people % few
    counted = people - (people - many) % few if people >= many else 0
    notes = []
    if people < few:
        notes.append(
            f"{_answered(people)}: means are shown from {few} people on, so that nobody's answers can be told."
        )
    if people < many:
        notes.append(
            f"{_answered(people)}: how answers spread over the levels is shown from {many} people on; below that, "
            "a level would tell what one person said."
        )
    if max(shown, counted) < people and shown:
        notes.append(f"Counted are the first {max(shown, counted)} of {people}; the next step comes with {few} more.")
    barriers = _barriers(rows.head(shown), rules)
    items = _items(rows.head(counted), rules)
    return Spread(people, max(shown, counted), barriers, items, _talk(items, rules), tuple(notes))


def _answered(people: int) -> str:
    return "Nobody answered yet" if not people else "1 person answered" if people == 1 else f"{people} people answered"


def typed_answers(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Answers as text to levels and codes, as the data folder is read; what is no answer is missing."""
    codes = {**dict.fromkeys(SAYS_DOES_NOT_APPLY, DOES_NOT_APPLY), **dict.fromkeys(SAYS_DONT_KNOW, DONT_KNOW)}
    typed = {"role": rows["role"].where(rows["role"] != "")}
    for item in rules.items["item_id"]:
        said = rows.get(item, pd.Series("", rows.index)).astype(str).str.lower().str.replace("’", "'")
        level = pd.to_numeric(said.str.replace(",", "."), errors="coerce")
        typed[item] = said.map(codes).fillna(level.where(level.isin(range(1, rules.settings.scale_points + 1))))
    return pd.DataFrame(typed)


def _barriers(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Mean score of every barrier: one row each; fewer than the minimum group scored: no value."""
    answers = read_answers(typed_answers(rows, rules), rules)
    made = []
    for row in rules.barriers.itertuples():
        scores = answers.score(answers.items_of(row.barrier_id)) if len(rows) else np.array([])
        n = int((~np.isnan(scores)).sum())
        enough = n >= rules.settings.minimum_group
        value = float(np.nanmean(scores)) if enough else np.nan
        made.append({"barrier_id": row.barrier_id, "barrier": row.name, "value": value, "n": n if enough else np.nan})
    return pd.DataFrame(made, columns=["barrier_id", "barrier", "value", "n"])


def _items(rows: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Distribution of every item that enough people gave a level to: one row per item x level."""
    columns = ["item", "item_id", "level", "share", "low", "high", "dont_know", "n"]
    typed = typed_answers(rows, rules)
    made = []
    for item in rules.items.itertuples():
        given = typed[item.item_id].dropna()
        levels = given[given > 0]
        if len(levels) < rules.settings.minimum_distribution:
            continue
        share = {level: (levels == level).mean() for level in range(1, rules.settings.scale_points + 1)}
        share = {level: min(value, NEARLY_ALL) for level, value in share.items()}
        ends = list(share.values())
        told = {
            "item": item.facet_label, "item_id": item.item_id, "n": len(levels), "low": min(sum(ends[:2]), NEARLY_ALL),
            "high": min(sum(ends[-2:]), NEARLY_ALL), "dont_know": (given == DONT_KNOW).mean(),
        }  # fmt: skip
        made += [told | {"level": level, "share": value} for level, value in share.items()]
    return pd.DataFrame(made, columns=columns)


def _talk(items: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Where to talk: what the team sees differently first, then what many do not know, then what most miss."""
    columns = ["item_id", "why", "wording", "now", "next"]
    wordings = rules.items.set_index("item_id")
    found = []
    for item_id, rows in items.groupby("item_id", sort=False):
        first = rows.iloc[0]
        why, rank = _why(first, rules.settings)
        if not why:
            continue
        level = int((rows["share"].cumsum() >= 0.5 - 1e-9).to_numpy().argmax()) + 1
        told = wordings.loc[item_id]
        better = told[f"level_{level + 1}"] if level < rules.settings.scale_points else ""
        found.append((rank, (item_id, why, told["wording"], told[f"level_{level}"], better)))
    return pd.DataFrame([row for _, row in sorted(found, key=lambda pair: pair[0])], columns=columns)


def _why(item: Mapping[str, float], settings: Settings) -> tuple[str, tuple[int, float]]:
    low, high, unsure = (item[name] for name in ("low", "high", "dont_know"))
    if min(low, high) >= settings.talk_apart:
        ends = f"{theme.share(low)} at the two lowest levels, {theme.share(high)} at the two highest"
        return f"seen differently: {ends}", (0, -min(low, high))
    if unsure >= settings.dont_know_finding:
        return f"{theme.share(unsure)} do not know", (1, -unsure)
    if low >= settings.talk_missing:
        return f"{theme.share(low)} at the two lowest levels", (2, -low)
    return "", (3, 0.0)
