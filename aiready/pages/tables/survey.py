"""Tables of what people say and of the profile, as charts and readers want them."""

import pandas as pd

from aiready.messages import Language
from aiready.model.registry import ALL, MEASURES, OK, ORGANISATION
from aiready.pages import sentences
from aiready.profile.assessment import Assessment

GROUPS = ("doing", "leading")


def profile(unit: Assessment) -> pd.DataFrame:
    """One row per barrier, the lowest first: both voices, the organisation's, and the score in words."""
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
    """The profile as a table to read."""
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
    """The answers of every barrier, one after the other."""
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
    """Item distributions as a table to read."""
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
    """Those doing the work and those leading it, per barrier; one row per barrier x group."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "perception") & rows["segment"].isin(GROUPS)].copy()
    rows["group"] = rows["segment"].map({group: unit.language.say(f"group.{group}") for group in GROUPS})
    rows["barrier"] = [sentences.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    order = {barrier: position for position, barrier in enumerate(unit.rules.barriers["barrier_id"])}
    rows["place"] = rows["barrier_id"].map(order)
    return rows.sort_values(["place", "segment"], ignore_index=True)


def indicators(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """Records behind practice of one barrier: one row per indicator, points and value in words."""
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


def twins(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """Say and do of one barrier, facet by facet: one row per pair that is known on both sides."""
    rows = unit.rows("facets")
    rows = rows.loc[(rows["barrier_id"] == barrier_id) & rows["says"].notna() & rows["record"].notna()]
    language = unit.language
    pairs = [
        (sentences.people_words(row, language), sentences.records_words(row, language)) for _, row in rows.iterrows()
    ]
    return pd.DataFrame(pairs, columns=[language.say("column.people_say"), language.say("column.records_show")])


def themes(unit: Assessment) -> pd.DataFrame:
    """Work, workforce, workplace: one row per theme."""
    rows = unit.rows("themes").rename(columns={"theme": "theme_id"})
    return rows.assign(
        theme=[unit.language.label(f"theme.{name}") for name in rows["theme_id"]],
        detail=_n_texts(rows["n"], unit.language),
    )


def trend(unit: Assessment) -> pd.DataFrame:
    """Both voices over the waves: one row per barrier x wave x voice, practice only on an equal indicator set."""
    rows = unit.barriers.loc[unit.barriers["unit_id"] == unit.unit_id]
    upto = unit.facts.waves.index(unit.facts.wave) + 1
    rows = rows.loc[rows["wave"].isin(unit.facts.waves[:upto])].copy()
    rows["barrier"] = [sentences.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    people = rows.assign(
        voice="perception", value=rows["perception"], low=rows["perception_low"], high=rows["perception_high"]
    )
    now = rows.loc[rows["wave"] == unit.facts.wave].set_index("barrier_id")["practice_coverage"]
    equal = rows["practice_coverage"] == rows["barrier_id"].map(now)
    records = rows.loc[equal].assign(voice="practice", value=rows["practice"], low=float("nan"), high=float("nan"))
    columns = ["barrier", "wave", "voice", "value", "low", "high"]
    return pd.concat([people, records], ignore_index=True)[columns].dropna(subset="value").reset_index(drop=True)


def wide(  # noqa: PLR0913 - one table turned
    rows: pd.DataFrame, index: str, columns: str, values: str, text: object, first: str
) -> pd.DataFrame:
    """A long table turned to a table to read: `index` down, `columns` across, cells as text."""
    order = list(dict.fromkeys(rows[columns]))
    turned = rows.pivot_table(index=index, columns=columns, values=values, sort=False)[order]
    return turned.map(text).rename_axis(columns=None).rename_axis(first).reset_index()
