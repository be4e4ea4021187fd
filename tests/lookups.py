"""Where the number in each blank of each phrase stands in the tables of results, as a reader takes it.

Nothing here knows how the phrases are filled: each look-up computes its number anew from the tables.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from aiready.messages import ENGLISH
from aiready.model import waves
from aiready.model.registry import MEASURES
from aiready.model.schema import TABLES

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER = re.compile(rf"\d|\b(?:{'|'.join(WORDS[2:])})\b", re.IGNORECASE)
"""A digit, or a number as a word; `one` and `no` have other uses."""
LIVE = ("pilot", "limited", "scaled")
Blanks = Mapping[str, Any]
"""Blanks of a phrase and of those around it; `row`, `figure` and `barrier` say where on the page it stands."""


def agree(printed: object, value: float | str) -> bool:
    """Whether a blank holds the value: as text, or at the precision printed; < 1 and > 99 per cent are neither end."""
    if isinstance(value, str) or not isinstance(printed, str):
        return printed == value or (not isinstance(value, str) and abs(float(printed) - value) < 1e-6)
    if printed[0] in "<>":
        return printed == ENGLISH.share(value)
    number, _, unit = printed.partition("\u00a0")
    plain = number.removesuffix(" in 100").replace("\u202f", "").replace("−", "-")
    value *= 100 if unit == "%" else 1
    return abs(float(plain) - value) <= 0.5 * 10 ** -len(plain.partition(".")[2]) + 1e-6


class Reader:
    """Looks numbers up in the tables of one unit, by names as readers know them."""

    def __init__(self, unit):
        self.unit = unit
        quarter = waves.quarter_of_wave(unit.facts.wave)
        rows = unit.measures
        self.mine = rows[(rows["unit_id"] == unit.unit_id) & (rows["status"] == "ok")]
        self.rows = rows[(rows["unit_id"] == unit.unit_id) & rows["wave"].isin([unit.facts.wave, quarter])]
        self.barriers = self.of_unit(unit.barriers)
        self.all_barriers = unit.barriers[unit.barriers["wave"] == unit.facts.wave]
        self.named = dict(unit.rules.barriers[["name", "barrier_id"]].itertuples(index=False))
        self.unit_ids = unit.units.set_index("name")["unit_id"]
        self.last = unit.verdicts.sort_values("trial_no").groupby("initiative_id").tail(1)
        register = unit.initiatives
        self.live = register[register["stage"].isin(LIVE)] if len(register) else register
        self.given = self._given()
        self.dates = self._dates(quarter)

    def of_unit(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["unit_id"] == self.unit.unit_id) & (rows["wave"] == self.unit.facts.wave)]

    def _given(self) -> list[str]:
        """Names, questions and actions with numbers in them: what was given, not found; the longest first."""
        rules, unit = self.unit.rules, self.unit
        given = [rules.actions[["action", "first_step"]], rules.items.filter(regex="label|level_|wording"),
                 rules.indicators[["label"]], unit.units[["name"]], unit.initiatives.filter(regex="^name$"),
                 unit.verdicts[["outcome", "reason"]], unit.tasks.filter(regex="^(task|job)$"),
                 unit.actions[["action"]], unit.step_changes.filter(regex="^(workflow|step)$")]  # fmt: skip
        texts = {str(text) for table in given for column in table for text in table[column].dropna().unique()}
        texts |= {*MEASURES, *(about.label for about in MEASURES.values())}
        texts |= {about.collect for about in TABLES.values()}
        texts |= {*self.trial_names()}
        numbered = [text for text in texts if NUMBER.search(text.lower())]
        return sorted({part for text in numbered for part in (text, text.rstrip("."), f"{text[:1].upper()}{text[1:]}")},
                      key=len, reverse=True)  # fmt: skip

    def _dates(self, quarter: str) -> re.Pattern[str]:
        """Dates and digests as they are in the facts, the agreed actions and the waves of the rows."""
        facts, ordinals = self.unit.facts, ("first", "second", "third", "fourth")
        known = {facts.instrument_digest, facts.instrument_version, *facts.waves, *self.mine["wave"]}
        if facts.as_of:
            day = pd.Timestamp(facts.as_of)
            known.add(f"{day.day} {day:%B %Y}")
        for day in pd.to_datetime(self.unit.actions["due_on"]).dropna():
            known.add(f"{day.day}\u00a0{day:%b}\u00a0{day:%Y}")
        known |= {f"{ordinals[int(wave[-1]) - 1]} quarter {wave[:4]}" for wave in (*known, quarter) if "-Q" in wave}
        texts = "|".join(re.escape(text) for text in sorted(known, key=len, reverse=True) if text)
        return re.compile(rf"{texts}|digest [0-9a-f]{{12}}$|^[0-9a-f]{{12}}$")

    def value(self, measure: str, column: str = "value", segment: str = "all", barrier: str = "", wave="") -> float:
        rows = self.mine[self.mine["wave"] == wave] if wave else self.rows
        rows = rows[(rows["measure"] == measure) & (rows["segment"] == segment)]
        rows = rows[(rows["barrier_id"] == barrier) & (rows["status"] == "ok")]
        assert len(rows) == 1, (measure, segment, barrier)
        return float(rows[column].iloc[0])

    def hours_by_task(self) -> pd.DataFrame:
        """Tasks whose hours may be shown, the largest first."""
        rows = self.unit.tasks
        rows = rows[(rows["status"] == "ok") & (rows["potential"] > 0) & rows["gap"].notna()]
        return rows.sort_values("potential", ascending=False, kind="stable")

    def barrier_id(self, name: str) -> str:
        return {key.lower(): barrier_id for key, barrier_id in self.named.items()}[name.lower()]

    def barrier(self, name: str, column: str) -> float:
        return float(self.barriers.set_index("barrier_id").loc[self.barrier_id(name), column])

    def barrier_of(self, unit: str, name: str, column: str) -> float:
        rows = self.all_barriers[self.all_barriers["unit_id"] == self.unit_ids[unit]]
        return float(rows.set_index("barrier_id").loc[self.barrier_id(name), column])

    def facet(self, column: str, label: str) -> pd.Series:
        mine = self.of_unit(self.unit.facets)
        return mine[(mine[column] == label) & mine["record"].notna()].iloc[0]

    def explained(self, kind: str, label: str) -> pd.Series:
        """The row of `explain` of an item or indicator by its label."""
        rules = self.unit.rules
        named = (rules.items.rename(columns={"item_id": "id", "facet_label": "name"}) if kind == "item" else
                 rules.indicators.rename(columns={"indicator_id": "id", "label": "name"}))  # fmt: skip
        rows = self.of_unit(self.unit.explain)
        return rows[rows["id"].isin(named.loc[named["name"].str.lower() == label.lower(), "id"])].iloc[0]

    def indicators(self, name: str = "") -> pd.DataFrame:
        """Rows of `explain` of the indicators, of one barrier where it is named."""
        rows = self.of_unit(self.unit.explain)
        rows = rows[rows["kind"] == "indicator"]
        return rows[rows["barrier_id"] == self.barrier_id(name)] if name else rows

    def shares(self, label: str) -> pd.Series:
        """Shares of an item's levels, those that are only bounded at their bound."""
        rows = self.of_unit(self.unit.items)
        rows = rows[(rows["item_id"] == self.explained("item", label)["id"]) & (rows["segment"] == "all")]
        rows = rows.set_index("level")
        return rows["share"].fillna(rows["note"].map({">= 95 %": 0.95, "<= 5 %": 0.0}))

    def metric(self, label: str, wave: str = "") -> str:
        """A measure by its label, as text in its unit."""
        name, about = next((name, about) for name, about in MEASURES.items() if about.label.lower() == label.lower())
        return ENGLISH.value(self.value(name, wave=wave), about.unit)

    def trial_names(self) -> pd.Series:
        """Names of the trials, with and without their numbers."""
        rows = self.unit.verdicts
        if rows.empty:
            return pd.Series(dtype=str)
        names = rows.merge(self.unit.initiatives[["initiative_id", "name"]], on="initiative_id", how="left")["name"]
        return names + ", trial " + rows["trial_no"].map("{:.0f}".format).to_numpy()

    def trial(self, blanks: Blanks) -> pd.Series:
        """The trial whose outcome and effect are told: of several with that outcome, the one with that effect."""
        rows = self.unit.verdicts
        rows = rows[[blanks["outcome"].lower().endswith(str(name).lower()) for name in rows["outcome"]]]
        scale = 100 if rows["unit"].iloc[0] == "share" else 1
        point = float(blanks["effect"].removesuffix(" in 100").replace("\u202f", ""))
        nearest = (rows["improvement"].abs() * scale - point).abs().idxmin()
        return rows.loc[nearest, ["improvement", "lower", "upper", "target_effect"]].astype(float) * scale

    def trial_drawn(self, told: str) -> pd.Series:
        """The trial of a mark, by its name with or without its number."""
        names = self.trial_names()
        rows = self.unit.verdicts
        row = rows[((names == told) | (names.str.rpartition(", trial ")[0] == told)).to_numpy()].iloc[0]
        return row[["lower", "upper", "target_effect"]].astype(float) * (100 if row["unit"] == "share" else 1)

    def corners(self) -> pd.DataFrame:
        """Adoption and way to the target per initiative, from rows of the organisation or of the one unit using it."""
        rows = self.unit.measures
        rows = rows[(rows["wave"] == self.unit.facts.wave) & (rows["segment"] != "all")]
        corners = {}
        for initiative_id, mine in rows.groupby("segment"):
            used = mine[mine["measure"] == "adoption"]
            total = used[used["unit_id"] == "*"]
            used = total if len(total) else used if len(used) == 1 else used.iloc[:0]
            way = mine[(mine["measure"] == "target_progress") & (mine["status"] == "ok")]
            if len(way) and len(used) and used["status"].iloc[0] == "ok":
                corners[initiative_id] = (float(used["value"].iloc[0]), float(way["value"].iloc[0]))
        return pd.DataFrame.from_dict(corners, orient="index", columns=["adoption", "progress"])

    def reasons(self) -> Iterator[str]:
        """Reasons of the recommended actions: their templates with the numbers of `recommended` in."""
        templates = self.unit.rules.actions.set_index("template_id")["reason"]
        for row in self.of_unit(self.unit.recommended).itertuples():
            value, n, template = float(row.evidence_value), row.evidence_n, templates[row.template_id]
            count = row.trigger == "indicator" and "{n}" in template and 0 <= value <= 1
            texts = {ENGLISH.share(value), ENGLISH.number(value * n if count else value, 0)}
            texts |= {"none"} if value == 0 else set()
            texts |= {"95\u00a0% or more"} if value >= 0.95 else set()
            for text in texts:
                yield template.replace("{value}", text).replace("{n}", "" if pd.isna(n) else ENGLISH.number(n))


# Numbers that phrases hold

Lookup = Callable[[Reader, Blanks], float | str]


def _of(measure: str, column: str = "value") -> Lookup:
    return lambda r, b: r.value(measure, column)


def _hours(measure: str) -> Lookup:
    return lambda r, b: ENGLISH.hours(r.value(measure))


def _setting(name: str) -> Lookup:
    return lambda r, b: float(getattr(r.unit.rules.settings, name))


def _voice(r: Reader, b: Blanks, column: str) -> float:
    """A voice of the barrier that is named: in the phrase, in one around it, or before it in a description."""
    if b["figure"] == "fig-units":
        unit, _, name = b["head"].rpartition(", ")
        return r.barrier_of(unit, name, column)
    return r.barrier(b.get("barrier") or b.get("name") or b["head"], column)


def _answered(r: Reader, b: Blanks) -> float:
    return float(r.barriers["n"].max())


def _judged_on(r: Reader) -> str:
    return next(name for name in ("score", "perception") if r.barriers[name].notna().any())


def _low(r: Reader, b: Blanks) -> float:
    """Bands count unknown records as not done, so they are read from the profile and not from its scores."""
    voice = _judged_on(r)
    rows = r.barriers[r.barriers[voice].notna()]
    return float(rows["band" if voice == "score" else "perception_band"].isin(["blocking", "slowing"]).sum())


def _judged(r: Reader, b: Blanks) -> float:
    return float(r.barriers[_judged_on(r)].notna().sum())


def _known_indicators(r: Reader, b: Blanks) -> float:
    return float((r.indicators(b.get("name", ""))["status"] == "ok").sum())


def _verdicts(word: str) -> Lookup:
    return lambda r, b: float((r.last["verdict"] == word).sum())


def _other_verdicts(r: Reader, b: Blanks) -> float:
    words = {"may grow": "SCALE", "to extend": "EXTEND", "to mend": "FIX", "to stop": "STOP",
             "not assessable": "NOT ASSESSABLE"}  # fmt: skip
    return _verdicts(words[b["verdict"]])(r, b)


def _done(r: Reader, b: Blanks) -> float:
    return float((r.unit.actions["status"] == "done").sum())


def _agreed(r: Reader, b: Blanks) -> float:
    return float((r.unit.actions["status"] != "dropped").sum())


def _late(r: Reader, b: Blanks) -> float:
    rows = r.unit.actions
    late = pd.to_datetime(rows["due_on"]) < pd.Timestamp(r.unit.facts.as_of)
    return float((late & (rows["status"] == "open")).sum())


def _kinds(r: Reader, b: Blanks, *, missing: bool) -> float:
    rows = r.rows[~r.rows["table"].isin(["invitations", "actions"])].groupby("table")["status"]
    return float(rows.apply(lambda status: not missing or (status == "not_measured").all()).sum())


def _per_week(r: Reader, b: Blanks) -> str:
    held = r.unit.tasks.groupby(["unit_id", "job"])["people"].first()
    return ENGLISH.hours(r.value("last_mile_gap_hours") / held.sum() / 52)


def _reason_share(r: Reader, b: Blanks) -> float:
    blocker = r.unit.rules.blockers.set_index("label")["blocker"][b["reason"]]
    return r.value("gap_by_blocker", segment=blocker) / r.value("last_mile_gap_hours")


def _record(column: str) -> Lookup:
    return lambda r, b: float(r.facet("record_label", b["label"])[column])


def _record_yes(r: Reader, b: Blanks) -> float:
    row = r.facet("record_label", b["label"])
    assert abs(row["record_yes"] - row["record"] * row["record_n"]) < 1e-6
    return float(row["record_yes"])


def _group(side: str, column: str = "value") -> Lookup:
    return lambda r, b: r.value("perception", column, side, b["section"])


def _change(column: str = "value", sign: int = 1) -> Lookup:
    return lambda r, b: sign * r.value("change", column, barrier=b["section"])


def _change_interval(r: Reader, b: Blanks) -> str:
    return ENGLISH.interval(_change("low")(r, b), _change("high")(r, b), "points")


def _role_mix(r: Reader, b: Blanks, sign: int) -> float:
    rows = r.of_unit(r.unit.change_sources)
    return sign * float(
        rows.loc[(rows["barrier_id"] == b["section"]) & (rows["source"] == "role_mix"), "points"].iloc[0]
    )


def _indicator_moves(r: Reader) -> pd.Series:
    rows = r.of_unit(r.unit.change_sources)
    points = rows.loc[rows["source"] == "indicators", "points"].abs()
    return points[points >= 1]


def _lowest_level(r: Reader, b: Blanks) -> float:
    """The lower median: the first level up to which half of the answers lie."""
    shares = r.shares(b["item"])
    shares = shares[shares.index.str.isdigit()].sort_index().cumsum()
    return float(shares[shares >= 0.5 - 1e-9].index[0])


def _most_answers(r: Reader, b: Blanks) -> float:
    items = r.unit.rules.items
    rows = r.of_unit(r.unit.items)
    rows = rows[rows["item_id"].isin(items.loc[items["barrier_id"] == b["section"], "item_id"])]
    return float(rows.loc[(rows["segment"] == "all") & (rows["level"] == "1"), "n"].max())


def _indicator(r: Reader, b: Blanks) -> str:
    """The value of an indicator, as text in the unit of its measure."""
    row = r.explained("indicator", b.get("indicator") or b["head"])
    measure = r.unit.rules.indicators.set_index("indicator_id").loc[row["id"], "measure"]
    return ENGLISH.value(float(row["value"]), MEASURES[measure].unit)


def _explained(column: str) -> Lookup:
    return lambda r, b: float(r.explained("indicator", b.get("indicator") or b["head"])[column])


def _levels(*levels: str) -> Lookup:
    return lambda r, b: float(r.shares(b["head"])[[*levels]].sum())


def _trial(column: str, sign: int = 1) -> Lookup:
    """A number of a trial; where a phrase says better or worse, its sign is in the words."""
    return lambda r, b: sign * float(r.trial(b)[column])


def _arm(r: Reader, b: Blanks, column: str) -> float:
    """The cases of an arm: some trial has both arms so."""
    arms = ("n_treatment", "treatment"), ("n_control", "control")
    rows = r.unit.verdicts
    for name, blank in arms:
        rows = rows[rows[name] == float(b[blank])]
    return float(rows[column].iloc[0])


def _nearest(numbers: pd.Series, printed: str) -> float:
    """The number that is printed, if it is among these; else the nearest, which is another."""
    number = float(printed.replace("\u202f", ""))
    return float(min(numbers.dropna(), key=lambda one: abs(one - number)))


def _drawn(column: str) -> Lookup:
    return lambda r, b: float(r.trial_drawn(b["head"])[column])


def _total_adoption(r: Reader, b: Blanks) -> float:
    rows = r.unit.measures
    rows = rows[(rows["unit_id"] == "*") & (rows["measure"] == "adoption") & (rows["segment"] == "all")]
    return float(rows.loc[rows["wave"] == r.unit.facts.wave, "value"].iloc[0])


def _to_decide(r: Reader, b: Blanks, verdict: str, settled: tuple[str, ...]) -> float:
    rows = r.last.merge(r.unit.initiatives[["initiative_id", "stage"]], on="initiative_id")
    return float(((rows["verdict"] == verdict) & ~rows["stage"].isin(settled)).sum())


def _below_rest(r: Reader) -> pd.DataFrame:
    return r.all_barriers[r.all_barriers["flag"].str.startswith("below")]


def _below_said(r: Reader, b: Blanks) -> float:
    """What people of the unit of the row say: every barrier on which they are below the rest is told."""
    rows = _below_rest(r)
    rows = rows[rows["unit_id"] == r.unit_ids[b["row"]]].set_index("barrier_id")
    assert len(re.findall(r"\d+", b["barriers"])) == len(rows)
    return float(rows.loc[r.barrier_id(b["barrier"]), "perception"])


def _corner(r: Reader, b: Blanks, *, used: bool, moved: bool) -> float:
    rows = r.corners()
    return float((((rows["adoption"] >= 0.5) == used) & ((rows["progress"] >= 0.5) == moved)).sum())


def _corner_of(r: Reader, b: Blanks, column: str) -> float:
    names = r.unit.initiatives.drop_duplicates("initiative_id").set_index("initiative_id")["name"]
    return float(r.corners().loc[names[names == b["name"]].index[0], column])


def _generation(r: Reader, b: Blanks, name: str = "") -> float:
    """Initiatives of a generation; without a name those of none. Every generation on record is told."""
    rows = r.rows[r.rows["measure"] == "initiatives_count"].set_index("segment")["value"]
    known = rows.reindex(["rules", "machine_learning", "generative"]).dropna()
    parts = len(re.split(", | and ", b["parts"]))
    assert parts == len(known) + (rows["all"] > known.sum())
    return float(known[name] if name else rows["all"] - known.sum())


def _count(text: Callable[[Reader], Any]) -> Lookup:
    return lambda r, b: float(len(text(r)))


def _median_time(r: Reader, b: Blanks, column: str) -> float | str:
    """A median time, to a first verdict or in a stage, whose upper bound is not reached."""
    first = b["row"] == "Days to a first verdict"
    measure, segment = ("days_to_first_verdict", "all") if first else ("time_in_stage_p50", b["row"].lower())
    value = r.value(measure, column, segment)
    return ENGLISH.days(value) if column == "value" else value


def _task_hours(r: Reader, b: Blanks) -> str:
    """Hours of one of the ten largest tasks, or of all others together."""
    rows, columns = r.hours_by_task(), ["gap_not_adopted"]
    labels = {"realised": ["realised"],
              "below plan, rework, checking": ["gap_saving_below_plan", "gap_rework", "gap_oversight"]}  # fmt: skip
    task = b["head"].rpartition(", ")[0]
    for label in (*labels, *r.unit.rules.blockers["label"]):
        if b["head"].endswith(f", {label}"):
            task, columns = b["head"].removesuffix(f", {label}"), labels.get(label, columns)
    if task.endswith(("other task", "other tasks")):
        assert task.split(" ")[0] in (ENGLISH.in_words(len(rows) - 10), str(len(rows) - 10))
        mine = rows.iloc[10:]
    else:
        named = rows["task"] + " (" + rows["job"] + ")"
        start, dots, end = (words.strip() for words in task.partition("…"))
        cut = named.str.startswith(start) & named.str.endswith(end) if dots else named.eq(task)
        mine = rows[rows["task"].eq(task) | cut].head(1)
        assert len(mine) == 1, task
    return ENGLISH.hours(mine[columns].to_numpy().sum())


def _unit_hours(r: Reader, b: Blanks) -> str:
    unit, _, part = b["head"].partition(", ")
    rows = r.unit.measures
    rows = rows[(rows["unit_id"] == r.unit_ids[unit]) & (rows["wave"] == r.unit.facts.wave) & (rows["status"] == "ok")]
    waits = rows[(rows["measure"] == "gap_by_blocker") & (rows["segment"] != "all")]
    labels = waits["segment"].map(dict(r.unit.rules.blockers[["blocker", "label"]].itertuples(index=False)))
    if part == "realised":
        mine = rows[(rows["measure"] == "realised_hours") & (rows["segment"] == "all")]
    elif part == "reason not recorded":
        mine = waits[waits["segment"] == "unknown"]
    elif part == "another reason":
        mine = waits[[label not in b["text"] for label in labels.fillna("")]]
    else:
        mine = waits[labels == part]
    return ENGLISH.hours(mine["value"].sum())


def _mode(r: Reader, b: Blanks) -> float:
    moment, _, mode = b["head"].partition(", ")
    column = {"today": "mode", "target": "target_mode"}[moment]
    modes = {"people alone": "human", "people with AI": "augment", "AI alone": "automate"}
    return float((r.unit.tasks[column] == modes[mode]).sum())


def _in_wave(r: Reader, b: Blanks) -> float:
    name, wave, voice = b["head"].split(", ")
    rows = r.unit.barriers
    rows = rows[(rows["unit_id"] == r.unit.unit_id) & (rows["wave"] == wave)].set_index("barrier_id")
    return float(rows.loc[r.barrier_id(name), {"people say": "perception", "records show": "practice"}[voice]])


def _side(r: Reader, b: Blanks) -> float:
    name, _, side = b["head"].rpartition(", those ")
    return r.value("perception", segment=side.split(" ")[0], barrier=r.barrier_id(name))


# The tables of look-ups

ALONE, SOFTWARE, POTENTIAL = _of("exposure_alpha"), _of("exposure_zeta"), _hours("potential_hours")
REALISED, OPEN = _hours("realised_hours"), _hours("last_mile_gap_hours")
TEAM, ADVICE = _of("decision_accuracy"), _of("advice_accuracy")
RIGHT = {"team": TEAM, "advice": ADVICE, "n": _of("decision_accuracy", "n")}
SAID = {"said": partial(_voice, column="perception"), "shown": partial(_voice, column="practice")}
PARTIAL = {**SAID, "known": _known_indicators, "count": lambda r, b: float(len(r.indicators(b["name"])))}
AGREED = {"count": _done, "total": _agreed, "late": _late}
KINDS = {"count": partial(_kinds, missing=True), "total": partial(_kinds, missing=False)}
BELOW = {"count": _low, "total": _judged}
PILOTS = {"count": _verdicts("SCALE"), "judged": _count(lambda r: r.last), "stop": _verdicts("STOP")}
PARTS_OF = {"key.agreed": (_done, _agreed), "key.low": (_low, _judged),
            "key.pilots": (PILOTS["count"], PILOTS["judged"])}  # fmt: skip
LOOKUPS: dict[str, dict[str, Lookup]] = {
    "absent.all": KINDS,
    "absent.some": KINDS,
    "agreed.some": AGREED,
    "answered.share": {"people": lambda r, b: r.value("response_rate") * r.value("response_rate", "n"),
                       "asked": _of("response_rate", "n"), "share": _of("response_rate")},
    "answered.some": {"people": _answered},
    "asked.barrier": {"said": _below_said},
    "asked.grow": {"count": partial(_to_decide, verdict="SCALE", settled=("scaled", "stopped"))},
    "asked.stop": {"count": partial(_to_decide, verdict="STOP", settled=("stopped",))},
    "asked.owner": {"count": lambda r, b: float(r.live["owner"].isna().sum())},
    "asked.help": {"count": lambda r, b: float(min(3, _below_rest(r)["unit_id"].nunique()))},
    "barrier.answers_subtitle": {"n": _most_answers},
    "barrier.both": PARTIAL,
    "barrier.people": SAID,
    "barrier.records": PARTIAL,
    "barrier.records_subtitle": {"n": _setting("minimum_records")},
    "barriers.all": BELOW,
    "barriers.less": {"count": lambda r, b: float((r.barriers["practice"] < r.barriers["perception_low"]).sum())},
    "barriers.none": BELOW,
    "barriers.of_one": BELOW,
    "barriers.of_some": BELOW,
    "barriers.records_lowest": {"total": _count(lambda r: r.barriers["practice"].dropna()),
                                "shown": lambda r, b: r.barriers["practice"].min()},
    "barriers.records_one": {"shown": lambda r, b: r.barriers["practice"].min()},
    "barriers.sensitivity": {"share": lambda r, b: float(r.of_unit(r.unit.sensitivity)["share"].iloc[0]),
                             "draws": _setting("sensitivity_draws")},
    "barriers.some": BELOW,
    "barriers.the_one": BELOW,
    "basis.people": {"n": _answered},
    "basis.records": {"count": _known_indicators, "total": _count(lambda r: r.unit.rules.indicators)},
    "cell.at_least": {"low": partial(_median_time, column="low")},
    "cell.value": {"value": partial(_median_time, column="value"), "n": partial(_median_time, column="n")},
    "change.down": {"points": _change(sign=-1), "interval": _change_interval},
    "change.indicators": {"least": lambda r, b: _indicator_moves(r).min(),
                          "most": lambda r, b: _indicator_moves(r).max()},
    "change.roles_lowered": {"points": partial(_role_mix, sign=-1)},
    "change.roles_raised": {"points": partial(_role_mix, sign=1)},
    "change.up": {"points": _change(), "interval": _change_interval},
    "chart.answers": {"low": _levels("1", "2"), "high": _levels("4", "5"), "unsure": _levels("dont_know")},
    "chart.initiative": {"adoption": partial(_corner_of, column="adoption"),
                         "progress": partial(_corner_of, column="progress")},
    "chart.points": {"value": _indicator, "points": _explained("points")},
    "chart.score": {"score": partial(_voice, column="score")},
    "evolution.generative": {"count": partial(_generation, name="generative")},
    "evolution.learned": {"count": lambda r, b: r.value("learning_recorded") * r.value("learning_recorded", "n"),
                          "total": _of("learning_recorded", "n")},
    "evolution.machine_learning": {"count": partial(_generation, name="machine_learning")},
    "evolution.rules": {"count": partial(_generation, name="rules")},
    "evolution.unknown": {"count": _generation},
    "facet.none": {"count": _record_yes, "n": _record("record_n")},
    "facet.number": {"number": lambda r, b: float(r.facet("unit", "count")["record"])},
    "facet.said": {"share": lambda r, b: float(r.facet("says_label", b["says"])["says"])},
    "facet.share": {"share": _record("record"), "n": _record("record_n")},
    "facet.yes": {"yes": _record_yes, "n": _record("record_n")},
    "fig-groups": {"value": _side},
    "fig-hours": {"value": _task_hours},
    "fig-metrics": {"value": lambda r, b: r.metric(*b["head"].rsplit(", ", 1))},
    "fig-modes": {"value": _mode},
    "fig-stages": {"value": lambda r, b: float((r.unit.initiatives["stage"] == b["head"]).sum())},
    "fig-themes": {"value": lambda r, b: float(
        r.of_unit(r.unit.themes).set_index("theme").loc[b["head"].lower(), "value"])},
    "fig-trend": {"value": _in_wave},
    "fig-unit-hours": {"value": _unit_hours},
    "groups.apart": {"count": lambda r, b: float(
        (r.rows["low"] * r.rows["high"] > 0)[(r.rows["measure"] == "role_gap") & (r.rows["status"] == "ok")].sum())},
    "groups.said": {"doing": _group("doing"), "doing_answers": _group("doing", "n"),
                    "leading": _group("leading"), "leading_answers": _group("leading", "n")},
    "groups.subtitle": {"n": _setting("minimum_group")},
    "hidden.heading": {
        "count": lambda r, b: float(r.all_barriers.loc[r.all_barriers["status"] == "suppressed", "unit_id"].nunique())},
    "hours.exposed": {"share": ALONE},
    "hours.largest": {"shown": lambda r, b: float(min(10, len(r.hours_by_task()))),
                      "total": _count(Reader.hours_by_task)},
    "hours.measured": {"share": _of("measured_share")},
    "hours.open": {"potential": POTENTIAL, "realised": REALISED, "open": OPEN, "week": _per_week},
    "hours.other_tasks": {"count": lambda r, b: float(len(r.hours_by_task()) - 10)},
    "hours.realised": {"share": _of("realised_rate")},
    "hours.reason": {"share": _reason_share},
    "initiatives.corner_moved": {"count": partial(_corner, used=False, moved=True)},
    "initiatives.corner_neither": {"count": partial(_corner, used=False, moved=False)},
    "initiatives.corner_used": {"count": partial(_corner, used=True, moved=False)},
    "initiatives.corner_used_moved": {"count": partial(_corner, used=True, moved=True)},
    "initiatives.corners": {"count": lambda r, b: float(len(r.corners()))},
    "initiatives.corners_subtitle": {"count": lambda r, b: float(len(r.corners()))},
    "initiatives.evidence": {"share": _of("scaled_on_evidence"), "count": _of("scaled_on_evidence", "n")},
    "initiatives.on_record": {"count": _of("initiatives_count")},
    "initiatives.subtitle": {"count": _count(lambda r: r.unit.initiatives)},
    "key.accuracy": {"value": TEAM, "n": RIGHT["n"]},
    "key.adoption": {"value": _of("adoption"), "n": _of("adoption", "n"), "share": _total_adoption},
    "key.answered": {"value": _of("response_rate"), "n": _of("response_rate", "n")},
    "key.exposure": {"value": ALONE, "share": SOFTWARE},
    "key.hours": {"value": _of("realised_rate")},
    "key.hours_week": {"hours": _per_week},
    "key.hours_year": {"hours": OPEN},
    "key.of": {
        "some": lambda r, b: PARTS_OF[b["within"]][0](r, b),
        "total": lambda r, b: PARTS_OF[b["within"]][1](r, b),
    },
    "key.overdue": {"count": _late},
    "key.pilots_other": {"n": _other_verdicts},
    "key.speed": {"value": lambda r, b: ENGLISH.duration(r.value("decision_speed_p50"))},
    "key.speed_spread": {"interval": lambda r, b: ENGLISH.interval(
        *(r.value("decision_speed_p50", bound) for bound in ("low", "high")), "seconds")},
    "lead.decided_within": {"time": lambda r, b: ENGLISH.duration(r.value("decision_speed_p50"))},
    "lead.exposure": {"alone": ALONE, "software": SOFTWARE},
    "lead.followed": {"share": _of("over_reliance")},
    "lead.hours": {"potential": POTENTIAL, "share": _of("realised_rate")},
    "lead.of_some": {"count": _judged},
    "lead.records_least": SAID,
    "lead.records_one": SAID,
    "lead.right": RIGHT,
    "level.lowest": {"level": _lowest_level},
    "meta.live": {"count": _count(lambda r: r.live)},
    "method.groups_stated": {"distribution": _setting("minimum_distribution")},
    "metrics.one": {"value": lambda r, b: r.metric(b["measure"])},
    "metrics.over": {"share": _of("over_reliance")},
    "metrics.right": RIGHT,
    "metrics.speed": {"time": lambda r, b: ENGLISH.duration(r.value("decision_speed_p50"))},
    "pilots.some": PILOTS,
    "reliability.ranks": {"rwg": _setting("rank_rwg"), "icc": _setting("rank_icc2"), "p": _setting("rank_p")},
    "todo.heading": {"count": lambda r, b: float(min(3, len(r.of_unit(r.unit.recommended))))},
    "trial.arms": {"treatment": partial(_arm, column="n_treatment"), "control": partial(_arm, column="n_control")},
    "trial.at_least": {"lower": _trial("lower"), "upper": _trial("upper")},
    "trial.better": {"effect": _trial("improvement")},
    "trial.bound_least": {"bound": _drawn("lower"), "target": _drawn("target_effect")},
    "trial.bound_most": {"bound": _drawn("upper"), "target": _drawn("target_effect")},
    "trial.both_worse": {"lower": _trial("lower", -1), "upper": _trial("upper", -1)},
    "trial.mixed": {"lower": _trial("lower", -1), "upper": _trial("upper")},
    "trial.needed": {"n": lambda r, b: _nearest(r.unit.verdicts["n_needed"], b["n"])},
    "trial.target": {"target": _trial("target_effect")},
    "trial.worse": {"effect": _trial("improvement", -1)},
    "voices.both": SAID,
    "voices.said": SAID,
    "voices.short": SAID,
    "workflow.none_claimed": {"claimed": _of("redesign_claimed_share")},
    "workflow.redesigned": {"share": _of("operating_system_share"),
                                    "claimed": _of("redesign_claimed_share")},
    "works.indicator": {"value": _indicator, "n": _explained("n")},
}  # fmt: skip
"""By key and blank: `lead.right` for `lead.right_advice` too; by figure, the number that ends a mark's description."""
OF_ANY_PHRASE = {"people": _setting("minimum_group")}
"""Blanks that have one meaning where the key says nothing else."""


def look_up_of(key: str, blank: str) -> Lookup | None:
    """The look-up of a blank: of the key, or of the key without its last words."""
    while key not in LOOKUPS and "_" in key:
        key = key.rpartition("_")[0]
    return LOOKUPS.get(key, {}).get(blank) or OF_ANY_PHRASE.get(blank)


IMPLIED: dict[str, dict[str, int | str]] = {
    "absent.all": {"count": "total"}, "barriers.all": {"count": "total"}, "barriers.none": {"count": 0},
    "barriers.of_one": {"total": 1}, "barriers.the_one": {"count": 1, "total": 1}, "facet.none": {"count": 0},
}  # fmt: skip
"""Numbers that the words of a phrase say, without a blank: a number, or the blank that it is as large as."""
NAMES = frozenset(("chart.level", "chart.levels", "column.level", "column.levels", "chart.more", "trial.numbered"))
"""Phrases whose numbers are names, or count what a description leaves out."""
FORMATS = ("unit.", "wave.", "number.", "reason.", "chart.n")
"""Keys of what is no phrase of a sentence: formats of numbers, reasons as they stand in the verdicts."""
