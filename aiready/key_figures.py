"""Key figures of the first page: up to four numbers in context."""

import pandas as pd

from aiready import narrative, theme, views
from aiready.assessment import Assessment
from aiready.html.blocks import Key
from aiready.measures import ORGANISATION


def key_figures(unit: Assessment) -> list[Key]:
    """Up to four figures in context, the first that there are."""
    makers = (_key_hours, _key_agreed, _key_pilots, _key_adoption, _key_speed, _key_accuracy, _key_exposure, _key_low,
              _key_answered)  # fmt: skip
    return [key for make in makers if (key := make(unit))][:4]


def _key_hours(unit: Assessment) -> Key | None:
    rate, gap = unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if not rate.ok:
        return None
    week = narrative.per_week(unit, gap)
    context = (
        f"{theme.hours(week)} per person and week still open"
        if pd.notna(week)
        else f"{theme.hours(gap.value)} a year still open"
    )
    return Key("Possible hours realised", theme.share(rate.value), context)


def _key_agreed(unit: Assessment) -> Key | None:
    rows = views.agreed(unit)
    kept = rows.loc[rows["State"] != "dropped"]
    if kept.empty:
        return None
    late = int((kept["State"] == "overdue").sum())
    done = int((kept["State"] == "done").sum())
    return Key("Agreed actions done", f"{done} of {len(kept)}", f"{narrative.counted(late, 'action')} overdue")


def _key_pilots(unit: Assessment) -> Key | None:
    judged = narrative.latest_trials(unit)
    if judged.empty:
        return None
    words = judged["verdict"].value_counts()
    others = [f"{count} {narrative.VERDICTS[word]}" for word, count in words.items() if word != "SCALE"]
    return Key("Pilots that may grow", f"{words.get('SCALE', 0)} of {len(judged)}", ", ".join(others))


def _key_adoption(unit: Assessment) -> Key | None:
    cell, total = unit.cell("adoption"), unit.cell("adoption", unit_id=ORGANISATION)
    if not cell.ok:
        return None
    context = f"of {theme.number(cell.n)} intended uses"
    if total.ok and unit.unit_id != ORGANISATION:
        context += f"; organisation {theme.share(total.value)}"
    return Key("Intended users who use it", theme.share(cell.value), context)


def _key_speed(unit: Assessment) -> Key | None:
    cell = unit.cell("decision_speed_p50")
    spread = theme.interval(cell.low, cell.high, "seconds")
    return (
        Key("Time to a decision", theme.duration(cell.value), f"median, {spread}" if spread else "median")
        if cell.ok
        else None
    )


def _key_accuracy(unit: Assessment) -> Key | None:
    cell = unit.cell("decision_accuracy")
    if not cell.ok:
        return None
    return Key("Final decisions right", theme.share(cell.value), f"of {theme.number(cell.n)} whose outcome is known")


def _key_exposure(unit: Assessment) -> Key | None:
    alone, software = unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return None
    return Key(
        "Work a model alone could halve",
        theme.share(alone.value),
        f"{theme.share(software.value)} with added software; not what is used",
    )


def _key_low(unit: Assessment) -> Key | None:
    rows = narrative.ranked_barriers(unit)
    if rows.empty or rows["on"].iloc[0] == "practice":
        return None
    workable = unit.rules.bands.sort_values("at_least")["name"].iloc[-2]
    band, basis = {"score": ("band", "by both voices"), "perception": ("perception_band", "by what people say")}[
        rows["on"].iloc[0]
    ]
    low = int(rows[band].isin(narrative.below_workable(unit)).sum())
    return Key(f"Barriers below {workable}", f"{low} of {len(rows)}", basis)


def _key_answered(unit: Assessment) -> Key | None:
    rate = unit.cell("response_rate")
    if not rate.ok:
        return None
    return Key("People who answered", theme.share(rate.value), f"of {theme.number(rate.n)} asked")
