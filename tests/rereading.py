"""Numbers in sentences, read as a reader reads them and looked up anew in the tables of results.

Nothing here knows how the sentences are made: each pattern says which cell a reader takes the number for.
"""

import re
from collections.abc import Callable, Iterator

import pandas as pd
import pytest

from aiready.model import waves
from aiready.model.registry import MEASURES
from aiready.model.schema import TABLES

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
N = r"([−-]?\d[\d\u202f]*(?:\.\d+)?)"
COUNT = rf"(no|none|{'|'.join(WORDS[1:])}|\d[\d\u202f]*)"
SHARE = r"(?:[<>]\u00a0)?[−-]?\d[\d\u202f]*"
PER_CENT = rf"({SHARE})\u00a0%"
VALUE = r"((?:[<>]\u00a0)?[−-]?\d[\d\u202f]*(?:\.\d+)?(?:\u00a0(?:%|s|min|h|days?))?)"
HOURS = rf"{N}\u00a0h"
SIZES = {"%": 0.01, "s": 1.0, "min": 60.0, "h": 3600.0, "days": 86400.0, "day": 86400.0}
NUMBER = re.compile(rf"\d|\b(?:{'|'.join(WORDS[2:])})\b", re.IGNORECASE)
"""A digit, or a number as a word; `one` and `no` have other uses, and are read where a pattern knows them."""
VERDICTS = {"may grow": "SCALE", "to extend": "EXTEND", "to mend": "FIX", "to stop": "STOP",
            "not assessable": "NOT ASSESSABLE"}  # fmt: skip
LIVE = ("pilot", "limited", "scaled")
Found = Iterator[tuple[str, float]]


def read(text: str) -> float:
    """A number as printed, as a number."""
    plain = text.lower().replace("\u202f", "").replace("\u00a0", "").replace("−", "-").lstrip("<>")
    return 0.0 if plain == "none" else float(WORDS.index(plain) if plain in WORDS else plain)


def same(text: str, value: float) -> bool:
    """Whether a printed number is the value, at the precision printed; below 1 or above 99 per cent is neither end."""
    if text[0] in "<>":
        return 0 < value < 0.5 if text[0] == "<" else 99.5 < value < 100
    return abs(read(text) - value) <= 0.5 * 10 ** -len(text.partition(".")[2]) + 1e-6


def estimated(hours: float) -> float:
    """Hours as estimates bear them: from 1 000 on in tens."""
    return round(hours, -1) if abs(hours) >= 1000 else hours


def in_unit(text: str, value: float, unit: str) -> tuple[str, float]:
    """A printed value and the cell's, both in the unit printed."""
    number, _, sign = text.rpartition("\u00a0") if text[-1] in "%snhy" else (text, "", "")
    size = 1.0 if unit in ("days", "hours") else SIZES.get(sign, 1.0)
    return number, value / size


class Reader:
    """Looks numbers up in the tables of one unit, by names as readers know them."""

    def __init__(self, unit):
        self.unit = unit
        self.quarter = waves.quarter_of_wave(unit.facts.wave)
        rows = unit.measures
        self.mine = rows[(rows["unit_id"] == unit.unit_id) & (rows["status"] == "ok")]
        self.rows = rows[(rows["unit_id"] == unit.unit_id) & rows["wave"].isin([unit.facts.wave, self.quarter])]
        self.all_barriers = unit.barriers
        self.barriers = self.of_unit(unit.barriers)
        self.named = dict(unit.rules.barriers[["name", "barrier_id"]].itertuples(index=False))
        self.last = unit.verdicts.sort_values("trial_no").groupby("initiative_id").tail(1)
        register = unit.initiatives
        self.live = register[register["stage"].isin(LIVE)] if len(register) else register
        self.current, self.place, self.told_reasons = "", "", set()
        self.wording = self._wording()
        self.dates = self._dates()
        self.templates = [
            re.compile(re.escape(text).replace(r"\{value\}", "(.+?)").replace(r"\{n\}", "(.+?)"))
            for text in unit.rules.actions["reason"].unique()
        ]

    def of_unit(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["unit_id"] == self.unit.unit_id) & (rows["wave"] == self.unit.facts.wave)]

    def _wording(self) -> list[str]:
        """Names, questions and actions with numbers in them: what was given, not found; the longest first."""
        rules, unit = self.unit.rules, self.unit
        given = [rules.actions[["action", "first_step"]], rules.items.filter(regex="label|level_|wording"),
                 rules.indicators[["label"]], unit.units[["name"]], unit.initiatives.filter(regex="^name$"),
                 unit.verdicts[["outcome", "reason"]], unit.tasks.filter(regex="^(task|job)$"),
                 unit.actions[["action"]], unit.step_changes.filter(regex="^(workflow|step)$")]  # fmt: skip
        texts = {str(text) for table in given for column in table for text in table[column].dropna().unique()}
        texts |= {*MEASURES, *(about.label for about in MEASURES.values())}
        texts |= {about.collect for about in TABLES.values()}
        if len(unit.verdicts):
            tried = unit.verdicts.merge(unit.initiatives[["initiative_id", "name"]], on="initiative_id")
            texts |= {f"{row.name}, trial {row.trial_no:.0f}" for row in tried.itertuples(index=False)}
        numbered = [text for text in texts if NUMBER.search(text.lower())]
        return sorted({part for text in numbered for part in (text, text.rstrip("."), f"{text[:1].upper()}{text[1:]}")},
                      key=len, reverse=True)  # fmt: skip

    def _dates(self) -> re.Pattern[str]:
        """Dates and digests as they are in the facts, the agreed actions and the waves of the rows."""
        facts, ordinals = self.unit.facts, ("first", "second", "third", "fourth")
        known = {facts.instrument_digest, f"version {facts.instrument_version}", *facts.waves, *self.mine["wave"]}
        if facts.as_of:
            day = pd.Timestamp(facts.as_of)
            known.add(f"{day.day} {day:%B %Y}")
        for day in pd.to_datetime(self.unit.actions["due_on"]).dropna():
            known.add(f"{day.day}\u00a0{day:%b}\u00a0{day:%Y}")
        known |= {
            f"{ordinals[int(wave[-1]) - 1]} quarter {wave[:4]}" for wave in (*known, self.quarter) if "-Q" in wave
        }
        return re.compile("|".join(re.escape(text) for text in sorted(known, key=len, reverse=True) if text))

    def value(
        self, measure: str, column: str = "value", segment: str = "all", barrier: str = "", wave: str = ""
    ) -> float:
        rows = self.mine[self.mine["wave"] == wave] if wave else self.rows
        rows = rows[(rows["measure"] == measure) & (rows["segment"] == segment)]
        found = rows[(rows["barrier_id"] == barrier) & (rows["status"] == "ok")]
        assert len(found) == 1, (measure, segment, barrier)
        return float(found[column].iloc[0])

    def with_hours(self) -> pd.DataFrame:
        """Tasks whose hours may be shown, the largest first."""
        rows = self.unit.tasks
        rows = rows[(rows["status"] == "ok") & (rows["potential"] > 0) & rows["gap"].notna()]
        return rows.sort_values("potential", ascending=False, kind="stable")

    def barrier_id(self, name: str) -> str:
        return {key.lower(): barrier_id for key, barrier_id in self.named.items()}[name.lower()]

    def barrier(self, name: str, column: str) -> float:
        return float(self.barriers.set_index("barrier_id").loc[self.barrier_id(name), column])

    def twin(self, column: str, label: str) -> pd.Series:
        mine = self.of_unit(self.unit.facets)
        return mine[(mine[column] == label) & mine["record"].notna()].iloc[0]

    def explained(self, kind: str, label: str) -> pd.Series:
        """The row of `explain` of an item or indicator by its label."""
        rules = self.unit.rules
        named = (rules.items.rename(columns={"item_id": "id", "facet_label": "name"}) if kind == "item" else
                 rules.indicators.rename(columns={"indicator_id": "id", "label": "name"}))  # fmt: skip
        ids = named.loc[named["name"].str.lower() == label.lower(), "id"]
        rows = self.of_unit(self.unit.explain)
        return rows[rows["id"].isin(ids)].iloc[0]

    def measure_of(self, label: str) -> tuple[str, str]:
        """Name and unit of the measure that has a label."""
        return next((name, about.unit) for name, about in MEASURES.items() if about.label.lower() == label.lower())

    def trial(self, outcome: str, point: float) -> pd.Series:
        rows = self.unit.verdicts
        rows = rows[[outcome.lower().endswith(str(name).lower()) for name in rows["outcome"]]]
        scale = 100 if rows["unit"].iloc[0] == "share" else 1
        nearest = (rows["improvement"].abs() * scale - point).abs().idxmin()
        columns = ["improvement", "lower", "upper", "target_effect"]
        return rows.loc[nearest, columns].astype(float) * scale


def trial_numbers(reader: Reader, found: re.Match) -> Found:
    row = reader.trial(found["outcome"], read(found["point"]))
    assert found["way"] == ("worse" if row["improvement"] < 0 else "better")
    yield found["point"], abs(row["improvement"])
    for name in ("lower", "upper"):
        shown = found[name] or found[f"{name}_2"]
        yield shown, row[name] if found[name] else abs(row[name])
    if found["target"]:
        yield found["target"], row["target_effect"]


def open_reasons(reader: Reader, found: re.Match) -> Found:
    labels = reader.unit.rules.blockers.set_index("label")["blocker"]
    for part, label in re.findall(rf"{PER_CENT} because (.+?)(?=, \d| and \d|\.$)", found[0]):
        yield part, 100 * reader.value("gap_by_blocker", segment=labels[label]) / reader.value("last_mile_gap_hours")


def voices(reader: Reader, found: re.Match) -> Found:
    yield found["said"], reader.barrier(found["name"], "perception")
    if found["shown"]:
        yield found["shown"], reader.barrier(found["name"], "practice")
    yield from coverage(reader, found)


def coverage(reader: Reader, found: re.Match) -> Found:
    """On how many of its indicators a barrier's practice rests, where it is said."""
    if "known" in found.re.groupindex and found["known"]:
        rows = reader.of_unit(reader.unit.explain)
        rows = rows[(rows["kind"] == "indicator") & (rows["barrier_id"] == reader.barrier_id(found["name"]))]
        yield found["known"], float((rows["status"] == "ok").sum())
        yield found["all"], float(len(rows))


def records_voice(reader: Reader, found: re.Match) -> Found:
    yield found["shown"], reader.barrier(found["name"], "practice")
    yield from coverage(reader, found)


def below_workable(reader: Reader, found: re.Match) -> Found:
    """Bands count unknown records as not done, so they are read from the profile and not from its scores."""
    voice = next(name for name in ("score", "perception") if reader.barriers[name].notna().any())
    rows = reader.barriers[reader.barriers[voice].notna()]
    low = rows["band" if voice == "score" else "perception_band"].isin(["blocking", "slowing"])
    yield found["low"] or ("none" if found["no"] else found["total"]), float(low.sum())
    if found["total"]:
        yield found["total"], float(len(rows))
    if found["less"]:
        yield found["less"], float((rows["practice"] < rows["perception_low"]).sum())


def of_measure(*names: str, scale: float = 100.0) -> Callable[[Reader, re.Match], Found]:
    """One measure for each number of the match, in order; `name:n` its n."""

    def check(reader: Reader, found: re.Match) -> Found:
        for text, name in zip(found.groups(), names, strict=True):
            measure, _, column = name.partition(":")
            value = reader.value(measure, column or "value")
            if measure.endswith("_hours"):
                yield text, estimated(value)
            elif not column and text[-1] in "smhy":
                yield in_unit(text, value, "seconds")
            else:
                yield text, value if column == "n" else scale * value

    return check


def twins_side(reader: Reader, found: re.Match) -> Found:
    yield found["share"], 100 * float(reader.twin("says_label", found["label"])["says"])


def records_side(reader: Reader, found: re.Match) -> Found:
    row = reader.twin("record_label", found["label"])
    yield found["yes"], float(row["record_yes"])
    yield found["n"], float(row["record_n"])
    assert row["record_yes"] == pytest.approx(row["record"] * row["record_n"])


def records_share(reader: Reader, found: re.Match) -> Found:
    row = reader.twin("record_label", found["label"])
    yield found["share"], 100 * float(row["record"])
    if found["n"]:
        yield found["n"], float(row["record_n"])


def both_sides(reader: Reader, found: re.Match) -> Found:
    for side in ("doing", "leading"):
        yield found[side], reader.value("perception", segment=side, barrier=reader.current)
        yield found[f"n_{side}"], reader.value("perception", "n", side, reader.current)


def moved(reader: Reader, found: re.Match) -> Found:
    cell = [reader.value("change", column, barrier=reader.current) for column in ("value", "low", "high")]
    yield found[1], abs(cell[0])
    yield from zip(found.groups()[1:3], cell[1:], strict=True)


def role_mix(reader: Reader, found: re.Match) -> Found:
    rows = reader.of_unit(reader.unit.change_sources)
    one = rows[(rows["barrier_id"] == reader.current) & (rows["source"] == "role_mix")]
    yield found[1], abs(float(one["points"].iloc[0]))


def pilots_judged(reader: Reader, found: re.Match) -> Found:
    words = reader.last["verdict"].value_counts()
    if found["grow"]:
        yield found["grow"], float(words.get("SCALE", 0))
        yield found["all"], float(words.sum())
    if found["stop"]:
        yield found["stop"], float(words.get("STOP", 0))


def pilots_otherwise(reader: Reader, found: re.Match) -> Found:
    for number, words in re.findall(rf"(\d+) ({'|'.join(VERDICTS)})", found["others"]):
        yield number, float((reader.last["verdict"] == VERDICTS[words]).sum())
    yield from pilots_judged(reader, found)


def agreed_done(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.actions
    yield found["done"], float((rows["status"] == "done").sum())
    yield found["total"], float((rows["status"] != "dropped").sum())
    if found["late"]:
        late = (rows["status"] == "open") & (pd.to_datetime(rows["due_on"]) < pd.Timestamp(reader.unit.facts.as_of))
        yield found["late"], float(late.sum())


def absent_kinds(reader: Reader, found: re.Match) -> Found:
    rows = reader.rows[~reader.rows["table"].isin(["invitations", "actions"])].groupby("table")["status"]
    missing = float(rows.apply(lambda status: (status == "not_measured").all()).sum())
    yield found["kinds"], float(len(rows))
    yield found["missing"] or found["kinds"], missing


def weighings(reader: Reader, found: re.Match) -> Found:
    rows = reader.of_unit(reader.unit.sensitivity)
    yield found[1], 100 * float(rows["share"].iloc[0])
    yield found[2], float(reader.unit.rules.settings.sensitivity_draws)


def moved_by_indicators(reader: Reader, found: re.Match) -> Found:
    rows = reader.of_unit(reader.unit.change_sources)
    points = rows.loc[rows["source"] == "indicators", "points"].abs()
    yield found[1], points[points >= 1].min()
    yield found[2], points.max()


def indicator_value(reader: Reader, found: re.Match) -> Found:
    row = reader.explained("indicator", found["label"])
    yield found["share"], 100 * float(row["value"])
    yield found["n"], float(row["n"])


def a_week(reader: Reader, found: re.Match) -> Found:
    held = reader.unit.tasks.groupby(["unit_id", "job"])["people"].first()
    yield found[1], estimated(reader.value("last_mile_gap_hours") / held.sum() / 52)


def reached_apart(reader: Reader, found: re.Match) -> Found:
    gaps = reader.rows[(reader.rows["measure"] == "role_gap") & (reader.rows["status"] == "ok")]
    yield found[1], float((gaps["low"] * gaps["high"] > 0).sum())


def who_answered(reader: Reader, found: re.Match) -> Found:
    if found["asked"]:
        yield found["n"], reader.value("response_rate") * reader.value("response_rate", "n")
        yield found["asked"], reader.value("response_rate", "n")
        yield found["rate"], 100 * reader.value("response_rate")
    else:
        yield found["n"], float(reader.barriers["n"].max())


def most_answers(reader: Reader, found: re.Match) -> Found:
    items = reader.unit.rules.items
    asked = items.loc[items["barrier_id"] == reader.current, "item_id"]
    rows = reader.of_unit(reader.unit.items)
    rows = rows[rows["item_id"].isin(asked) & (rows["segment"] == "all") & (rows["level"] == "1")]
    yield found[1], float(rows["n"].max())


def profile_basis(reader: Reader, found: re.Match) -> Found:
    if found["n"]:
        yield found["n"], float(reader.barriers["n"].max())
    rows = reader.of_unit(reader.unit.explain)
    shown = rows[(rows["kind"] == "indicator") & (rows["status"] == "ok")]
    yield found["known"], float(len(shown))
    yield found["all"], float(len(reader.unit.rules.indicators))


def setting(name: str) -> Callable[[Reader, re.Match], Found]:
    return lambda reader, found: iter([(found[1], float(getattr(reader.unit.rules.settings, name)))])


def both_minimums(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(reader.unit.rules.settings.minimum_group)
    yield found[2], float(reader.unit.rules.settings.minimum_distribution)


def item_today(reader: Reader, found: re.Match) -> Found:
    """The lower median: the first level up to which half of the answers lie."""
    row = reader.explained("item", found["label"])
    rows = reader.of_unit(reader.unit.items)
    rows = rows[(rows["item_id"] == row["id"]) & (rows["segment"] == "all") & rows["level"].str.isdigit()]
    rows = rows.assign(step=rows["level"].astype(int)).sort_values("step")
    running = rows["share"].fillna(rows["note"].map({">= 95 %": 0.95, "<= 5 %": 0.0})).cumsum()
    yield found["level"], float(rows.loc[running >= 0.5 - 1e-9, "step"].iloc[0])


def reason(reader: Reader, found: re.Match) -> Found:
    """The reason of a recommended action: its template with the numbers of `recommended` in."""
    rows = reader.of_unit(reader.unit.recommended)
    templates = reader.unit.rules.actions.set_index("template_id")["reason"]
    for row in rows.itertuples():
        pattern = re.escape(templates[row.template_id])
        pattern = pattern.replace(r"\{value\}", "(?P<value>.+?)").replace(r"\{n\}", "(?P<n>.+?)")
        if told := re.fullmatch(pattern, found[0]):
            groups = told.groupdict()
            if "n" in groups:
                yield groups["n"], float(row.evidence_n)
            yield from _reason_value(groups, row)
            return
    yield "0", 1.0


def _reason_value(groups: dict, row) -> Found:
    text, value = groups["value"], float(row.evidence_value)
    if text.endswith("\u00a0% or more"):
        yield text.removesuffix("\u00a0% or more"), 95.0 if value >= 0.95 else -1.0
    elif text.endswith("%"):
        yield text[:-2], 100 * value
    elif row.trigger == "indicator" and "n" in groups and 0 <= value <= 1:
        yield text, value * float(row.evidence_n)
    else:
        yield text, value


def hidden_figures(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.measures
    yield found[1], float(((rows["unit_id"] == reader.unit.unit_id) & (rows["status"] == "suppressed")).sum())


def rows_left_out(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(reader.unit.counts["quarantined"].sum())


def arms(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.verdicts
    found_rows = rows[(rows["n_treatment"] == float(found[1])) & (rows["n_control"] == float(found[2]))]
    yield "1", float(min(1, len(found_rows)))


def still_needed(reader: Reader, found: re.Match) -> Found:
    needed = reader.unit.verdicts["n_needed"].dropna().astype(float)
    yield found[1], needed.loc[(needed - read(found[1])).abs().idxmin()]


def live_initiatives(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(len(reader.live))


def intended(reader: Reader, found: re.Match) -> Found:
    yield found["used"], 100 * reader.value("adoption")
    yield found["n"], reader.value("adoption", "n")
    if found["total"]:
        rows = reader.unit.measures
        total = rows[(rows["unit_id"] == "*") & (rows["measure"] == "adoption") & (rows["segment"] == "all")]
        yield found["total"], 100 * float(total.loc[total["wave"] == reader.unit.facts.wave, "value"].iloc[0])


def hours_key(reader: Reader, found: re.Match) -> Found:
    yield found["rate"], 100 * reader.value("realised_rate")
    gap = reader.value("last_mile_gap_hours")
    if found["week"]:
        held = reader.unit.tasks.groupby(["unit_id", "job"])["people"].first()
        gap = gap / held.sum() / 52
    yield found["open"], estimated(gap)


def late_actions(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.actions
    yield found[1], float((rows["status"] == "done").sum())
    yield found[2], float((rows["status"] != "dropped").sum())
    late = (rows["status"] == "open") & (pd.to_datetime(rows["due_on"]) < pd.Timestamp(reader.unit.facts.as_of))
    yield found[3], float(late.sum())


def voice_lowest(reader: Reader, found: re.Match) -> Found:
    known = reader.barriers["practice"].dropna()
    yield found["shown"], known.min()
    if found["total"]:
        yield found["total"], float(len(known))


def judged_barriers(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(reader.barriers["score"].notna().sum())


def initiatives_on_record(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(len(reader.unit.initiatives))


def asked_of_meeting(reader: Reader, found: re.Match) -> Found:
    unit = reader.unit
    judged = reader.last.merge(unit.initiatives[["initiative_id", "stage"]], on="initiative_id")
    ongoing = ~judged["stage"].isin(["scaled", "stopped"])
    flagged = reader.all_barriers[(reader.all_barriers["wave"] == unit.facts.wave)]
    below = flagged.loc[flagged["flag"].str.startswith("below"), "unit_id"].nunique()
    counts = {
        rf"let {COUNT} pilots? grow": ((judged["verdict"] == "SCALE") & ongoing).sum(),
        rf"stop {COUNT} pilots?": ((judged["verdict"] == "STOP") & (judged["stage"] != "stopped")).sum(),
        rf"name {COUNT} owners?": reader.live["owner"].isna().sum(),
        rf"help {COUNT} units? first": min(3, below),
    }
    for pattern, count in counts.items():
        if told := re.search(pattern, found[0]):
            yield told[1], float(count)


def help_first(reader: Reader, found: re.Match) -> Found:
    ids = reader.unit.units.set_index("name")["unit_id"]
    rows = reader.all_barriers[reader.all_barriers["wave"] == reader.unit.facts.wave]
    rows = rows[(rows["unit_id"] == ids[found["unit"]]) & rows["flag"].str.startswith("below")]
    told = re.findall(rf"([A-Za-z ]+?) {N}(?:, | and | of 100)", found["told"])
    assert len(told) == len(rows)
    for name, number in told:
        yield number, float(rows.set_index("barrier_id").loc[reader.barrier_id(name), "perception"])


def corner_counts(reader: Reader, found: re.Match) -> Found:
    rows = corners(reader)
    used, moving = rows["adoption"] >= 0.5, rows["progress"] >= 0.5
    counts = {"used and moving its figure": used & moving, "used without moving it": used & ~moving,
              "moving it with few users": ~used & moving, "neither": ~used & ~moving}  # fmt: skip
    yield found[1], float(len(rows))
    for number, words in re.findall(rf"{COUNT} ({'|'.join(counts)})", found[0]):
        yield number, float(counts[words].sum())


def corners(reader: Reader) -> pd.DataFrame:
    """Adoption and way to the target per initiative, from rows of the organisation or of the one unit using it."""
    rows = reader.unit.measures
    rows = rows[(rows["wave"] == reader.unit.facts.wave) & (rows["segment"] != "all")]
    seen = {}
    for initiative_id, mine in rows.groupby("segment"):
        used = mine[mine["measure"] == "adoption"]
        total = used[used["unit_id"] == "*"]
        used = total if len(total) else used if len(used) == 1 else used.iloc[:0]
        way = mine[(mine["measure"] == "target_progress") & (mine["status"] == "ok")]
        if len(way) and len(used) and used["status"].iloc[0] == "ok":
            seen[initiative_id] = (float(used["value"].iloc[0]), float(way["value"].iloc[0]))
    return pd.DataFrame.from_dict(seen, orient="index", columns=["adoption", "progress"])


def ranking_limits(reader: Reader, found: re.Match) -> Found:
    settings = reader.unit.rules.settings
    yield from zip(found.groups(), (settings.rank_rwg, settings.rank_icc2, settings.rank_p), strict=True)


def learned(reader: Reader, found: re.Match) -> Found:
    share, total = (reader.value("learning_recorded", column) for column in ("value", "n"))
    yield found[1], share * total
    yield found[2], total


def generations(reader: Reader, found: re.Match) -> Found:
    """Initiatives by generation: those of the three that are known, and all others together."""
    words = {"by rules": "rules", "by machine learning": "machine_learning", "generative": "generative"}
    rows = reader.rows[reader.rows["measure"] == "initiatives_count"].set_index("segment")["value"]
    known = rows.reindex([*words.values()]).dropna()
    yield found[1], float(rows["all"])
    told = re.findall(rf"{COUNT} ({'|'.join(words)}|of a generation not recorded)", found["told"], re.IGNORECASE)
    assert len(told) == len(known) + (rows["all"] > known.sum())
    for number, name in told:
        yield number, float(known[words[name]] if name in words else rows["all"] - known.sum())


def days_or_more(reader: Reader, found: re.Match) -> Found:
    """A median time, to a first verdict or in a stage, whose upper bound is not reached."""
    first = found["row"] == "Days to a first verdict"
    measure, segment = ("days_to_first_verdict", "all") if first else ("time_in_stage_p50", found["row"].lower())
    value, low, n = (reader.value(measure, column, segment) for column in ("value", "low", "n"))
    yield in_unit(found[2], value, "days")
    yield found[3], low
    yield found[4], n


def hidden_units(reader: Reader, found: re.Match) -> Found:
    rows = reader.all_barriers[reader.all_barriers["wave"] == reader.unit.facts.wave]
    yield found[1], float(rows.loc[rows["status"] == "suppressed", "unit_id"].nunique())


def one_metric(reader: Reader, found: re.Match) -> Found:
    name, unit = reader.measure_of(found["label"])
    yield in_unit(found["value"], reader.value(name, wave=found["wave"]), unit)


def accurate(reader: Reader, found: re.Match) -> Found:
    yield found["team"], 100 * reader.value("decision_accuracy")
    yield found["n"], reader.value("decision_accuracy", "n")
    if found["advice"]:
        yield found["advice"], 100 * reader.value("advice_accuracy")


def other_tasks(reader: Reader, found: re.Match) -> Found:
    yield found[1], float(len(reader.with_hours()) - 10)


def tasks_drawn(reader: Reader, found: re.Match) -> Found:
    rows = reader.with_hours()
    yield found[1], float(min(10, len(rows)))
    yield found[2], float(len(rows))


def spread_of(reader: Reader, measure: str, found: re.Match) -> Found:
    """A value of time and its interval, all in the unit of the larger bound or the value."""
    value, low, high = (reader.value(measure, column) for column in ("value", "low", "high"))
    yield in_unit(found[1], value, "seconds")
    sign = found[1].rpartition("\u00a0")[2]
    for text, bound in ((found[2], low), (found[3], high)):
        yield text, bound / SIZES[sign]
