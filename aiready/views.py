"""Tables as charts and readers want them: one unit's results in words, in the order shown. No new numbers."""

from typing import Any

import pandas as pd

from aiready import narrative, theme, waves
from aiready.assessment import Assessment
from aiready.measures import ALL, MEASURES, OK, ORGANISATION

SIX_METRICS = (
    "decision_speed_p50",
    "decision_accuracy",
    "over_reliance",
    "feedback_loop_p50",
    "effective_autonomy",
    "context_coverage",
)
"""One measure for each of decision speed, accuracy, collaboration, feedback, autonomy and understanding."""
METRIC_DETAILS = (
    "decision_speed_p50",
    "decision_speed_p90",
    "advice_in_time_share",
    "decision_accuracy",
    "advice_accuracy",
    "human_accuracy",
    "label_coverage",
    "complementarity",
    "reliance_on_right_advice",
    "self_reliance",
    "over_reliance",
    "under_reliance",
    "override_rate",
    "override_correct",
    "net_override_value",
    "feedback_loop_p50",
    "feedback_closed_30d",
    "feedback_declined_share",
    "insight_used_share",
    "user_changes",
    "autonomy_share",
    "effective_autonomy",
    "autonomy_index",
    "context_coverage",
    "unsafe_answer_rate",
    "probe_accuracy",
    "brier",
)
WORDS = {"ok": "", "suppressed": "hidden", "insufficient": "too few records", "not_measured": "not measured"}
GROUPS = {"doing": "those doing the work", "leading": "those leading it"}
ROLE_GROUPS = {
    "frontline": "frontline",
    "manager": "managers",
    "technical": "technical",
    "executive": "executives",
}
HOUR_PARTS = ("gap_saving_below_plan", "gap_rework", "gap_oversight")
SHORT_OF_PLAN = "below plan, rework, checking"
BLOCKERS_SHOWN = 3
VERSIONS = {"before": "Before AI", "now": "Now", "target": "Target"}
MODES = {"human": "by people", "augment": "with AI", "automate": "by AI"}
CHANGES = {
    "actor": "another actor",
    "reordered": "moved",
    "replaces": "new in place of another",
    "merged": "merged",
    "added": "added",
    "removed": "removed",
}
EXPOSURE = {
    "exposure_alpha": "A model alone",
    "exposure_beta": "Half weight for software",
    "exposure_zeta": "With added software",
}
EXPOSURE_WORDS = {"E1": "yes, a model alone", "E2": "with added software", "E0": "no"}
EXPOSED_SHOWN = 40
TASKS_SHOWN = 10


def profile(unit: Assessment) -> pd.DataFrame:
    """One row per barrier, the lowest first: both voices, the organisation's, and the score in words."""
    rows = unit.rows("barriers").copy()
    rows["barrier"] = [narrative.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    if unit.unit_id != ORGANISATION:
        total = unit.rows("barriers", unit_id=ORGANISATION)[["barrier_id", "perception", "practice"]]
        rows = rows.merge(
            total.rename(columns=lambda name: name if name == "barrier_id" else f"organisation_{name}"),
            on="barrier_id",
            how="left",
        )
    order = {barrier: place for place, barrier in enumerate(narrative.ranked_barriers(unit)["barrier_id"])}
    rows["place"] = rows["barrier_id"].map(order).fillna(len(order))
    return rows.sort_values(["place"], kind="stable", ignore_index=True).drop(columns="status")


def profile_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The profile as a table to read."""
    said = [_with_interval(row.perception, row.perception_low, row.perception_high) for row in rows.itertuples()]
    table = pd.DataFrame(
        {
            "Barrier": rows["barrier"],
            "People say": said,
            "n": [theme.number(n) for n in rows["n"]],
            "Records show": rows["practice"].map(theme.score),
            "Indicators that count": rows["practice_coverage"].map(theme.share),
            "Score": [_with_interval(row.score, row.low, row.high) for row in rows.itertuples()],
            "In words": rows["band"].where(
                rows["band"] != "",
                rows["basis"].map(
                    {"perception": "people only", "practice": "records only", "none": "not known", "both": ""}
                ),
            ),
        }
    )
    if "organisation_perception" in rows:
        table.insert(
            4,
            "Organisation",
            [
                f"{theme.score(said)} / {theme.score(done)}"
                for said, done in zip(rows["organisation_perception"], rows["organisation_practice"], strict=True)
            ],
        )
    return table


def _with_interval(value: float, low: float, high: float) -> str:
    spread = theme.interval(low, high, "score")
    return f"{theme.score(value)} ({spread})" if spread else theme.score(value)


def answers(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """How each item of a barrier was answered: one row per item x level, shares of answers on a level."""
    items = unit.rules.items.loc[unit.rules.items["barrier_id"] == barrier_id]
    rows = unit.rows("items")
    rows = rows.loc[(rows["segment"] == ALL) & rows["item_id"].isin(items["item_id"])]
    if rows.empty:
        return pd.DataFrame(columns=["item", "item_id", "level", "share", "low", "high", "dont_know", "n"])
    steps = [str(step) for step in range(1, unit.rules.settings.scale_points + 1)]
    blurred = rows["note"].map({"<= 5 %": 0.0, ">= 95 %": 0.95})
    told = rows.assign(share=rows["share"].fillna(blurred))
    every = told.pivot_table(index="item_id", columns="level", values="share", dropna=False)
    based = told.loc[told["level"] == "1"].set_index("item_id")["n"]
    shares = every.reindex(columns=steps)
    ends = pd.DataFrame(
        {
            "low": shares[steps[:2]].sum(axis=1, min_count=1),
            "high": shares[steps[-2:]].sum(axis=1, min_count=1),
            "dont_know": every.get("dont_know"),
            "n": based,
        }
    )
    long = shares.rename_axis(columns="level").stack(future_stack=True).rename("share").reset_index()
    long = long.merge(ends.reset_index(), on="item_id").merge(
        items[["item_id", "facet_label"]].rename(columns={"facet_label": "item"}), on="item_id"
    )
    long["level"] = long["level"].astype(int)
    long["place"] = long["item_id"].map({item: place for place, item in enumerate(items["item_id"])})
    return long.sort_values(["high", "place", "level"], ignore_index=True)


def answers_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Item distributions as a table to read."""
    wide = rows.pivot_table(
        index=["item", "n", "low", "high", "dont_know"], columns="level", values="share", sort=False
    )
    table = wide.map(theme.share).rename(columns=lambda level: f"Level {level}").reset_index()
    for name in ("low", "high", "dont_know"):
        table[name] = table[name].map(theme.share)
    table["n"] = table["n"].map(theme.number)
    named = {"item": "Question", "low": "Levels 1–2", "high": "Levels 4–5", "dont_know": "Don't know"}
    return table.rename(columns=named).rename_axis(columns=None)


def groups(unit: Assessment) -> pd.DataFrame:
    """Those doing the work and those leading it, per barrier; one row per barrier x group."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "perception") & rows["segment"].isin(GROUPS)].copy()
    rows["group"] = rows["segment"].map(GROUPS)
    rows["barrier"] = [narrative.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    order = {barrier: place for place, barrier in enumerate(unit.rules.barriers["barrier_id"])}
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
    units = [MEASURES[name].unit for name in merged["measure"]]
    known = [theme.value_text(value, unit_of) for value, unit_of in zip(merged["value"], units, strict=True)]
    shown = [text if state == OK else WORDS[state] for text, state in zip(known, status, strict=True)]
    return pd.DataFrame(
        {
            "indicator": merged["label"].str.capitalize(),
            "points": merged["points"].where(status == OK),
            "value_text": shown,
            "detail": [f"n {theme.number(n)}" if pd.notna(n) else "" for n in merged["n"]],
        }
    )


def blocks_of_hours(unit: Assessment) -> pd.DataFrame:
    """Where the possible hours of each task go: one row per task x part, the largest tasks first."""
    rows = unit.rows("tasks")
    rows = rows.loc[(rows["status"] == OK) & rows["potential"].gt(0) & rows["gap"].notna()]
    if rows.empty:
        return pd.DataFrame(columns=["task", "part", "kind", "hours"])
    jobs = rows["job"].nunique() > 1
    rows = rows.sort_values("potential", ascending=False)
    named = rows["task"] + (" (" + rows["job"] + ")" if jobs else "")
    rows = rows.assign(label=named.where(rows["potential"].rank(ascending=False, method="first") <= TASKS_SHOWN))
    rest = int(rows["label"].isna().sum())
    rows["label"] = rows["label"].fillna(narrative.counted(rest, "other task"))
    parts = [rows[["label", "realised"]].rename(columns={"realised": "hours"}).assign(part="realised", kind="realised")]
    waiting = rows.assign(part=_waits_on(unit, rows), kind="waits", hours=rows["gap_not_adopted"])
    short = rows.assign(part=SHORT_OF_PLAN, kind="plan", hours=rows[list(HOUR_PARTS)].sum(axis=1))
    parts += [table[["label", "part", "kind", "hours"]] for table in (waiting, short)]
    stacked = pd.concat(parts, ignore_index=True)
    summed = stacked.groupby(["label", "kind", "part"], sort=False, as_index=False)["hours"].sum()
    return summed.loc[summed["hours"].abs() > 1e-9].rename(columns={"label": "task"}).reset_index(drop=True)


def _waits_on(unit: Assessment, rows: pd.DataFrame) -> pd.Series:
    """What the hours not adopted wait on, in words: the largest few by name, the rest together."""
    waits = dict(unit.rules.blockers[["blocker", "label"]].itertuples(index=False))
    named = rows["blocker"].map(waits).fillna("reason not recorded")
    most = rows.groupby(named)["gap_not_adopted"].sum().nlargest(BLOCKERS_SHOWN).index
    return named.where(named.isin(most), "waits on something else")


def wide(  # noqa: PLR0913 - one table turned
    rows: pd.DataFrame, index: str, columns: str, values: str, text: object, first: str
) -> pd.DataFrame:
    """A long table turned to a table to read: `index` down, `columns` across, cells as text."""
    order = list(dict.fromkeys(rows[columns]))
    turned = rows.pivot_table(index=index, columns=columns, values=values, sort=False)[order]
    return turned.map(text).rename_axis(columns=None).rename_axis(first).reset_index()


def modes(unit: Assessment) -> pd.DataFrame:
    """Tasks by who does them, today and as aimed at: one row per moment x mode."""
    rows = unit.rows("tasks")
    counts = []
    for column, moment in (("mode", "today"), ("target_mode", "target")):
        known = rows[column].value_counts() if column in rows else pd.Series(dtype=int)
        counts += [(moment, mode, int(known.get(mode, 0))) for mode in MODES if known.sum()]
    return pd.DataFrame(counts, columns=["row", "mode", "count"])


def exposure(unit: Assessment) -> pd.DataFrame:
    """Exposure per job: one row per job, and all jobs together where there are several, shares as text."""
    rows = unit.rows("measures")
    rows = rows.loc[rows["measure"].isin(EXPOSURE) & (rows["status"] == OK)]
    if rows["segment"].nunique() == 2:
        rows = rows.loc[rows["segment"] != ALL]
    if rows.empty:
        return pd.DataFrame(columns=["Job"])
    turned = rows.pivot_table(index="segment", columns="measure", values="value", sort=False).map(theme.share)
    turned = turned.rename(index={ALL: "all jobs"}).rename(columns=EXPOSURE).rename_axis("Job")
    return turned.rename_axis(columns=None).reset_index()


def exposed_tasks(unit: Assessment) -> pd.DataFrame:
    """Rated tasks, those a model alone could speed up first: one row per task (What AI could do, Task)."""
    rows = unit.rows("tasks")
    rated = rows.loc[rows["exposure"].isin(EXPOSURE_WORDS)].drop_duplicates(["job", "task"])
    order = {level: place for place, level in enumerate(EXPOSURE_WORDS)}
    rated = rated.assign(place=rated["exposure"].map(order)).sort_values(["place", "job"], kind="stable")
    words = rated["exposure"].map(EXPOSURE_WORDS)
    table = pd.DataFrame({"Task": rated["task"], "Halve its time?": words, "Job": rated["job"]})
    return (table if rated["job"].nunique() > 1 else table.drop(columns="Job")).head(EXPOSED_SHOWN)


def trials(unit: Assessment) -> pd.DataFrame:
    """Verdicts as the forest plot wants them: one row per trial that could be assessed or not."""
    rows = unit.verdicts
    named = unit.initiatives.set_index("initiative_id")["name"].to_dict() if len(unit.initiatives) else {}
    count = rows["initiative_id"].map(rows["initiative_id"].value_counts())
    shown = pd.DataFrame(
        {
            "trial": [
                named.get(row.initiative_id, row.initiative_id) + (f", trial {row.trial_no:.0f}" if many > 1 else "")
                for row, many in zip(rows.itertuples(), count, strict=True)
            ],
            "detail": [_arms(row) for row in rows.itertuples()],
            "bound": [_deciding(row) for row in rows.itertuples()],
            "why": [_why(row) for _, row in rows.iterrows()],
            "unit": rows["unit"].where(rows["unit"] == "share", rows["outcome"].fillna("")),
        }
    )
    taken = {"improvement": "value", "lower": "low90", "upper": "high90", "target_effect": "target"}
    numbers = rows.rename(columns=taken)[["value", "low", "high", "low90", "high90", "target", "verdict"]]
    order = {verdict: place for place, verdict in enumerate(narrative.VERDICTS)}
    table = pd.concat([shown, numbers.reset_index(drop=True)], axis=1)
    placed = table.assign(place=table["verdict"].map(order)).sort_values(["place", "trial"], ignore_index=True)
    return placed.drop(columns="place")


def _arms(row: Any) -> str:
    arms = f"{row.n_treatment:.0f} with, {row.n_control:.0f} without" if pd.notna(row.n_control) else "no comparison"
    return f"{row.outcome} · {arms}" if pd.notna(row.outcome) else arms


def _deciding(row: Any) -> str:
    """The bound that decided and what it was held against, in a few words."""
    if pd.isna(row.deciding_bound):
        return ""
    if row.deciding_kind != "outcome":
        return "a guardrail decided"
    word, bound = ("at most", row.upper) if row.verdict in ("FIX", "STOP") else ("at least", row.lower)
    scale = 100 if row.unit == "share" else 1
    shown = [narrative.effect(scale * number, "") for number in (bound, row.target_effect)]
    return f"{word} {shown[0]}, target {shown[1]}"


def _why(row: pd.Series) -> str:
    """What the trial showed, what decided, and the cases still needed."""
    reason = str(row["reason"])
    told = [narrative.trial_words(row)]
    if row["verdict"] not in ("SCALE", "NOT ASSESSABLE") and row["deciding_kind"] != "outcome":
        told.append(f"{reason[:1].upper()}{reason[1:]}.")
    if row["verdict"] == "EXTEND" and not row["compared"]:
        told.append("The cases were not dealt at random or matched, so it may not grow on this.")
    if row["verdict"] == "EXTEND" and pd.notna(row["n_needed"]):
        told.append(f"About {theme.number(row['n_needed'])} cases in each arm would show it, if the effect is as seen.")
    return " ".join(told)


def metrics(unit: Assessment) -> pd.DataFrame:
    """The six metrics by quarter: one row per metric x quarter with a number."""
    rows = unit.measures
    rows = rows.loc[
        (rows["unit_id"] == unit.unit_id)
        & rows["measure"].isin(SIX_METRICS)
        & (rows["segment"] == ALL)
        & (rows["status"] == OK)
    ].copy()
    upto = waves.last_day(waves.quarter_of_wave(unit.facts.wave))
    rows = rows.loc[[waves.last_day(wave) <= upto for wave in rows["wave"]]]
    rows["metric"] = [MEASURES[name].label.capitalize() for name in rows["measure"]]
    rows["shown"] = [theme.value_text(row.value, row.unit) for row in rows.itertuples()]
    rows["place"] = rows["measure"].map({name: place for place, name in enumerate(SIX_METRICS)})
    return rows.rename(columns={"wave": "quarter"}).sort_values(["place", "quarter"], ignore_index=True)


def metric_numbers(unit: Assessment) -> pd.DataFrame:
    """Every decision, feedback and probe measure of the quarter: one row each, absent ones with the reason."""
    cells = [(MEASURES[name].label.capitalize(), unit.cell(name)) for name in METRIC_DETAILS]
    return pd.DataFrame(
        {
            "Measure": [label for label, _ in cells],
            "Value": [theme.value_text(cell.value, cell.unit) if cell.ok else WORDS[cell.status] for _, cell in cells],
            "95 % interval": [theme.interval(cell.low, cell.high, cell.unit) if cell.ok else "" for _, cell in cells],
            "n": [theme.number(cell.n) if cell.ok else "" for _, cell in cells],
        }
    )


def workflows(unit: Assessment) -> dict[str, pd.DataFrame]:
    """Steps of each workflow before, now and as aimed at: workflow name -> one row per version x step."""
    rows = unit.step_changes
    found = {}
    for name, steps in rows.groupby("workflow", sort=False):
        shown = steps.assign(
            place=steps["version"].map({version: place for place, version in enumerate(VERSIONS)}),
            words=steps["version"].map(VERSIONS),
        ).sort_values(["place", "step_no"])
        turns = shown.groupby("words")["actor"].transform(lambda actors: (actors != actors.shift()).sum() - 1)
        table = pd.DataFrame(
            {
                "version": shown["words"],
                "step": shown["step"],
                "actor": shown["actor"],
                "handoffs": turns,
                "note": shown["change"].map(CHANGES).fillna(""),
            }
        )
        found[str(name)] = table.reset_index(drop=True)
    return found


def trend(unit: Assessment) -> pd.DataFrame:
    """Both voices over the waves: one row per barrier x wave x voice, practice only on an equal indicator set."""
    rows = unit.barriers.loc[unit.barriers["unit_id"] == unit.unit_id]
    upto = unit.facts.waves.index(unit.facts.wave) + 1
    rows = rows.loc[rows["wave"].isin(unit.facts.waves[:upto])].copy()
    rows["barrier"] = [narrative.barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"]]
    said = rows.assign(
        voice="perception", value=rows["perception"], low=rows["perception_low"], high=rows["perception_high"]
    )
    now = rows.loc[rows["wave"] == unit.facts.wave].set_index("barrier_id")["practice_coverage"]
    equal = rows["practice_coverage"] == rows["barrier_id"].map(now)
    shown = rows.loc[equal].assign(voice="practice", value=rows["practice"], low=float("nan"), high=float("nan"))
    columns = ["barrier", "wave", "voice", "value", "low", "high"]
    return pd.concat([said, shown], ignore_index=True)[columns].dropna(subset="value").reset_index(drop=True)


def themes(unit: Assessment) -> pd.DataFrame:
    """Work, workforce, workplace: one row per theme."""
    rows = unit.rows("themes").rename(columns={"theme": "theme_id"})
    return rows.assign(
        theme=rows["theme_id"].str.capitalize(),
        detail=[f"n {theme.number(n)}" if pd.notna(n) else "" for n in rows["n"]],
    )


def agreed(unit: Assessment) -> pd.DataFrame:
    """Agreed actions and their state on the as-of date: one row per action."""
    rows = unit.actions
    as_of = pd.Timestamp(unit.facts.as_of) if unit.facts.as_of else pd.NaT
    late = (rows["status"] == "open") & (pd.to_datetime(rows["due_on"]) < as_of)
    return pd.DataFrame(
        {
            "Action": rows["action"],
            "Barrier": [narrative.barrier_name(unit, name) for name in rows["barrier_id"]],
            "Owner": rows["owner"],
            "Due": [narrative.short_day(day) for day in pd.to_datetime(rows["due_on"])],
            "State": rows["status"].mask(late, "overdue"),
        }
    ).reset_index(drop=True)
