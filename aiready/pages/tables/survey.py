"""Make the tables of what people say: profile, answers, groups, indicators, facets, themes, trend, reliability."""

import pandas as pd

from aiready.messages import MISSING, Language
from aiready.model.registry import ALL, MEASURES, OK, ORGANISATION, SUPPRESSED
from aiready.pages import sentences
from aiready.pages.tables.cells import value_cell
from aiready.profile.assessment import Assessment

GROUPS = ("doing", "leading")
RELIABILITY_OF_ORGANISATION = ("cronbach_alpha", "mcdonald_omega", "icc1", "icc2", "straightliner_share")
RELIABILITY_OF_UNIT = ("rwg_j", "straightliner_share")
"""On the organisation's page and on a unit's, which must not hold figures over the answers of other units."""


def profile(unit: Assessment) -> pd.DataFrame:
    """Both voices, the organisation's, and the score in words: one row per barrier, the lowest first."""
    rows = unit.rows("barriers").copy()
    rows["barrier"] = [sentences.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    if unit.unit_id != ORGANISATION:
        total = unit.rows("barriers", unit_id=ORGANISATION)[["barrier_id", "perception", "practice"]]
        rows = rows.merge(
            total.rename(columns=lambda name: name if name == "barrier_id" else f"organisation_{name}"),
            on="barrier_id",
            how="left",
        )
    order = {barrier: position for position, barrier in enumerate(sentences.ranked_barriers(unit)["barrier_id"])}
    rows["place"] = rows["barrier_id"].map(order).fillna(len(order))
    rows["band"] = [sentences.band_words(unit, row) for _, row in rows.iterrows()]
    return rows.sort_values(["place"], kind="stable", ignore_index=True).drop(columns="status")


def profile_numbers(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The profile as a table for readers: one row per barrier."""
    bases = {basis: language.say(f"basis.{basis}") for basis in ("perception", "practice", "none")}
    table = {
        "barrier": rows["barrier"],
        "people_say": [
            _with_interval((row.perception, row.perception_low, row.perception_high), language)
            for row in rows.itertuples()
        ],
        "n": rows["n"].map(language.number),
        "records_show": rows["practice"].map(language.score),
    }
    if "organisation_perception" in rows:
        voices = zip(rows["organisation_perception"], rows["organisation_practice"], strict=True)
        table["organisation"] = [
            f"{language.score(perception)} / {language.score(practice)}" for perception, practice in voices
        ]
    table |= {
        "indicators": rows["practice_coverage"].map(language.share),
        "score": [_with_interval((row.score, row.low, row.high), language) for row in rows.itertuples()],
        "in_words": rows["band"].where(rows["band"] != "", rows["basis"].map(bases).fillna("")),
    }
    return pd.DataFrame({language.say(f"column.{name}"): cells for name, cells in table.items()})


def _with_interval(cell: tuple[float, float, float], language: Language) -> str:
    value, low, high = cell
    spread = language.interval(low, high, "score")
    return f"{language.score(value)} ({spread})" if spread else language.score(value)


def answers(unit: Assessment, barrier_id: str, segment: str = ALL) -> pd.DataFrame:
    """How each item of a barrier was answered: one row per item x level, shares of answers on a level."""
    rows = unit.cached(_all_answers, segment)
    return rows.loc[rows["barrier_id"] == barrier_id].drop(columns="barrier_id").reset_index(drop=True)


def _all_answers(unit: Assessment, segment: str) -> pd.DataFrame:
    """Answers to the items of every barrier: one row per barrier x item x level."""
    items, rows = unit.rules.items, unit.rows("items")
    rows = rows.loc[(rows["segment"] == segment) & rows["item_id"].isin(items["item_id"])]
    if rows.empty:
        columns = ["barrier_id", "item", "item_id", "level", "share", "low", "high", "dont_know", "n"]
        return pd.DataFrame(columns=columns)
    steps = [str(step) for step in range(1, unit.rules.settings.scale_points + 1)]
    blurred = rows["note"].map({"<= 5 %": 0.0, ">= 95 %": 0.95})
    filled = rows.assign(share=rows["share"].fillna(blurred))
    shares_by_level = filled.pivot_table(index="item_id", columns="level", values="share", dropna=False)
    n_answers = filled.loc[filled["level"] == "1"].set_index("item_id")["n"]
    shares = shares_by_level.reindex(columns=steps)
    ends = pd.DataFrame(
        {
            "low": shares[steps[:2]].sum(axis=1, min_count=1),
            "high": shares[steps[-2:]].sum(axis=1, min_count=1),
            "dont_know": shares_by_level.get("dont_know"),
            "n": n_answers,
        }
    )
    long = shares.rename_axis(columns="level").stack(future_stack=True).rename("share").reset_index()
    long = long.merge(ends.reset_index(), on="item_id").merge(
        items[["item_id", "barrier_id", "facet_label"]].rename(columns={"facet_label": "item"}), on="item_id"
    )
    long["level"] = long["level"].astype(int)
    long["place"] = long["item_id"].map({item: position for position, item in enumerate(items["item_id"])})
    return long.sort_values(["high", "place", "level"], ignore_index=True)


def answers_numbers(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Answers as a table for readers: one row per item."""
    say, top = language.say, int(rows["level"].max())
    wide = rows.pivot_table(
        index=["item", "n", "low", "high", "dont_know"], columns="level", values="share", sort=False
    )
    table = wide.map(language.share).rename(columns=lambda level: say("column.level", level=str(level))).reset_index()
    for name in ("low", "high", "dont_know"):
        table[name] = table[name].map(language.share)
    table["n"] = table["n"].map(language.number)
    ends = {
        name: say("column.levels", low=str(low), high=str(low + 1)) for name, low in (("low", 1), ("high", top - 1))
    }
    column_names = {"item": say("column.question"), "n": say("column.n"), **ends, "dont_know": say("column.dont_know")}
    return table.rename(columns=column_names).rename_axis(columns=None)


def groups(unit: Assessment) -> pd.DataFrame:
    """What those doing the work and those leading it say: one row per barrier x group."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "perception") & rows["segment"].isin(GROUPS)].copy()
    rows["group"] = rows["segment"].map({group: unit.language.say(f"group.{group}") for group in GROUPS})
    rows["barrier"] = [sentences.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    order = {barrier: position for position, barrier in enumerate(unit.rules.barriers["barrier_id"])}
    rows["place"] = rows["barrier_id"].map(order)
    return rows.sort_values(["place", "segment"], ignore_index=True)


def indicators(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """Indicators of one barrier with points and value in words: one row per indicator."""
    rows = unit.rows("explain")
    rows = rows.loc[(rows["kind"] == "indicator") & (rows["barrier_id"] == barrier_id)]
    rules = unit.rules.indicators.loc[unit.rules.indicators["barrier_id"] == barrier_id]
    merged = rules.merge(
        rows[["id", "value", "points", "n", "status"]], left_on="indicator_id", right_on="id", how="left"
    )
    status = merged["status"].fillna("not_measured")
    language = unit.language
    units = [MEASURES[name].unit for name in merged["measure"]]
    values = [language.value(value, unit_of) for value, unit_of in zip(merged["value"], units, strict=True)]
    absent = status.map(lambda state: language.label(f"status.{state}"))
    return pd.DataFrame(
        {
            "indicator": merged["label"].map(language.capitalize),
            "points": merged["points"].where(status == OK),
            "value_text": pd.Series(values, merged.index).where(status == OK, absent),
            "detail": _n_texts(merged["n"], language),
        }
    )


def _n_texts(numbers: pd.Series, language: Language) -> list[str]:
    return [language.say("chart.n", n=language.number(n)) if pd.notna(n) else "" for n in numbers]


def facets(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """What people say and what records show on one barrier: one row per facet that has either, in numbers and words."""
    language, rows = unit.language, unit.rows("facets")
    rows = rows.loc[(rows["barrier_id"] == barrier_id) & (rows["says"].notna() | rows["record"].notna())]
    return rows.assign(
        facet=rows["says_label"].map(language.capitalize),
        detail=[language.say("facet.records", label=label) for label in rows["record_label"]],
        people=[sentences.people_words(row, language) for _, row in rows.iterrows()],
        records=[sentences.records_words(row, language) for _, row in rows.iterrows()],
        n=rows["says_n"].map(language.number),
        is_pair=rows["says"].notna() & rows["record"].notna(),
    )


def themes(unit: Assessment) -> pd.DataFrame:
    """Scores of work, workforce, workplace: one row per theme."""
    rows = unit.rows("themes").rename(columns={"theme": "theme_id"})
    return rows.assign(
        theme=[unit.language.label(f"theme.{name}") for name in rows["theme_id"]],
        detail=_n_texts(rows["n"], unit.language),
    )


def trend(unit: Assessment) -> pd.DataFrame:
    """Both voices by wave: one row per barrier x wave x voice; practice only at the coverage of the wave shown."""
    rows = unit.barriers.loc[unit.barriers["unit_id"] == unit.unit_id]
    upto = unit.facts.waves.index(unit.facts.wave) + 1
    rows = rows.loc[rows["wave"].isin(unit.facts.waves[:upto])].copy()
    rows["barrier"] = [sentences.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    people = rows.assign(
        voice="perception", value=rows["perception"], low=rows["perception_low"], high=rows["perception_high"]
    )
    coverage = rows.loc[rows["wave"] == unit.facts.wave].set_index("barrier_id")["practice_coverage"]
    comparable = rows["practice_coverage"] == rows["barrier_id"].map(coverage)
    records = rows.loc[comparable].assign(voice="practice", value=rows["practice"], low=float("nan"), high=float("nan"))
    columns = ["barrier", "wave", "voice", "value", "low", "high"]
    return pd.concat([people, records], ignore_index=True)[columns].dropna(subset="value").reset_index(drop=True)


def wide(  # noqa: PLR0913 - the parts of a pivot
    rows: pd.DataFrame, index: str, columns: str, values: str, text: object, first: str
) -> pd.DataFrame:
    """Pivot a long table for readers: `index` down, `columns` across, cells as text; empty without rows."""
    if rows.empty:
        return pd.DataFrame()
    order = list(dict.fromkeys(rows[columns]))
    turned = rows.pivot_table(index=index, columns=columns, values=values, sort=False)[order]
    return turned.map(text).rename_axis(columns=None).rename_axis(first).reset_index()


def reliability(unit: Assessment) -> pd.DataFrame:
    """Reliability and agreement: one row per barrier, a column per measure with a number for any of them.

    For the organisation also whether its units may be ranked.
    """
    say, barriers = unit.language.say, list(unit.rules.barriers["barrier_id"])
    measures = RELIABILITY_OF_ORGANISATION if unit.unit_id == ORGANISATION else RELIABILITY_OF_UNIT
    cells = {name: [unit.cell(name, barrier_id=barrier) for barrier in barriers] for name in measures}
    with_numbers = {name: row for name, row in cells.items() if any(cell.ok for cell in row)}
    hidden = say(f"status.{SUPPRESSED}")
    table = {say("column.barrier"): [sentences.barrier_name(unit, barrier) for barrier in barriers]}
    for name, row in with_numbers.items():
        absent = [hidden if cell.status == SUPPRESSED else MISSING for cell in row]
        texts = [value_cell(cell, unit.language) or otherwise for cell, otherwise in zip(row, absent, strict=True)]
        table[sentences.measure_name(unit, name)] = texts
    if "icc2" in with_numbers:
        verdicts = [say("reliability.may" if may else "reliability.may_not") for may in _ranked(unit)]
        rankings = zip(verdicts, cells["icc2"], strict=True)
        table[say("column.ranked")] = [verdict if cell.ok else MISSING for verdict, cell in rankings]
    return pd.DataFrame(table) if with_numbers else pd.DataFrame()


def _ranked(unit: Assessment) -> list[bool]:
    """Per barrier whether any unit has a rank in the wave shown: none has one if units may not be ranked."""
    rows = unit.barriers.loc[(unit.barriers["wave"] == unit.facts.wave) & unit.barriers["unit_rank_low"].notna()]
    ranked = set(rows["barrier_id"])
    return [barrier_id in ranked for barrier_id in unit.rules.barriers["barrier_id"]]
