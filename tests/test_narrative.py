"""Every number in every sentence, read back as a reader reads it and looked up anew in the tables of results."""

import re
from collections.abc import Callable, Iterator

import pandas as pd
import pytest

from aiready import narrative, views, waves

pytestmark = pytest.mark.slow
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
N = r"([−-]?\d[\d\u202f]*(?:\.\d+)?)"
COUNT = rf"(no|none|{'|'.join(WORDS[1:])}|\d[\d\u202f]*)"
SHARE = r"[<>]?\u00a0?\d+"
PER_CENT = rf"({SHARE})\u00a0%"


def read(text: str) -> float:
    """A number as printed, as a number."""
    plain = text.lower().replace("\u202f", "").replace("\u00a0", "").replace("−", "-").lstrip("<>")
    return 0.0 if plain == "none" else float(WORDS.index(plain) if plain in WORDS else plain)


def same(text: str, value: float) -> bool:
    """Whether a printed number is the value, at the precision printed (hours and counts from 1 000 on to tens)."""
    decimals = len(text.partition(".")[2])
    half = 5.0 if abs(value) >= 1000 and not decimals else 0.5 * 10**-decimals
    limit = text[0] in "<>"  # below 1 or above 99 per cent: not quite nothing, not quite all
    return abs(read(text) - value) <= (1.0 if limit else half + 1e-6)


class Reader:
    """Looks numbers up in the tables of one unit, by names as readers know them."""

    def __init__(self, unit):
        self.unit = unit
        quarter = waves.quarter_of_wave(unit.facts.wave)
        rows = unit.measures
        self.rows = rows[(rows["unit_id"] == unit.unit_id) & rows["wave"].isin([unit.facts.wave, quarter])]
        self.barriers = unit.barriers[
            (unit.barriers["unit_id"] == unit.unit_id) & (unit.barriers["wave"] == unit.facts.wave)
        ]
        self.named = dict(unit.rules.barriers[["name", "barrier_id"]].itertuples(index=False))
        self.last = unit.verdicts.sort_values("trial_no").groupby("initiative_id").tail(1)

    def value(self, measure: str, column: str = "value", segment: str = "all", barrier: str = "") -> float:
        rows = self.rows[(self.rows["measure"] == measure) & (self.rows["segment"] == segment)]
        found = rows[(rows["barrier_id"] == barrier) & (rows["status"] == "ok")]
        assert len(found) == 1, (measure, segment, barrier)
        return float(found[column].iloc[0])

    def barrier(self, name: str, column: str) -> float:
        ids = {key.lower(): barrier_id for key, barrier_id in self.named.items()}
        return float(self.barriers.set_index("barrier_id").loc[ids[name.lower()], column])

    def said(self, label: str) -> float:
        return 100 * float(self.twin("says_label", label)["says"])

    def twin(self, column: str, label: str) -> pd.Series:
        rows = self.unit.facets
        mine = rows[(rows["unit_id"] == self.unit.unit_id) & (rows["wave"] == self.unit.facts.wave)]
        return mine[(mine[column] == label) & mine["record"].notna()].iloc[0]

    def trial(self, outcome: str, point: float) -> pd.Series:
        rows = self.unit.verdicts
        rows = rows[[outcome.lower().endswith(str(name).lower()) for name in rows["outcome"]]]
        scale = 100 if rows["unit"].iloc[0] == "share" else 1
        nearest = (rows["improvement"].abs() * scale - point).abs().idxmin()
        columns = ["improvement", "lower", "upper", "target_effect"]
        return rows.loc[nearest, columns].astype(float) * scale


Found = Iterator[tuple[str, float]]


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
            yield text, value if column == "n" or measure.endswith("_hours") else scale * value

    return check


def twins_side(reader: Reader, found: re.Match) -> Found:
    yield found["share"], reader.said(found["label"])


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
        yield found[side], reader.value("perception", segment=side, barrier=CURRENT["barrier"])
        yield found[f"n_{side}"], reader.value("perception", "n", side, CURRENT["barrier"])


def moved(reader: Reader, found: re.Match) -> Found:
    cell = [reader.value("change", column, barrier=CURRENT["barrier"]) for column in ("value", "low", "high")]
    yield found[1], abs(cell[0])
    yield from zip(found.groups()[1:3], cell[1:], strict=True)


def role_mix(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.rows("change_sources")
    one = rows[(rows["barrier_id"] == CURRENT["barrier"]) & (rows["source"] == "role_mix")]
    yield found[1], abs(float(one["points"].iloc[0]))


def pilots_judged(reader: Reader, found: re.Match) -> Found:
    words = reader.last["verdict"].value_counts()
    if found["grow"]:
        yield found["grow"], float(words.get("SCALE", 0))
        yield found["all"], float(words.sum())
    if found["stop"]:
        yield found["stop"], float(words.get("STOP", 0))


def agreed_done(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.actions
    yield found[1], float((rows["status"] == "done").sum())
    yield found[2], float((rows["status"] != "dropped").sum())
    if found[3]:
        late = (rows["status"] == "open") & (pd.to_datetime(rows["due_on"]) < pd.Timestamp(reader.unit.facts.as_of))
        yield found[3], float(late.sum())


def absent_kinds(reader: Reader, found: re.Match) -> Found:
    rows = reader.rows[~reader.rows["table"].isin(["invitations", "actions"])].groupby("table")["status"]
    yield found[1], float(rows.apply(lambda status: (status == "not_measured").all()).sum())
    yield found[2], float(len(rows))


def weighings(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.rows("sensitivity")
    yield found[1], 100 * float(rows["share"].iloc[0])
    yield found[2], float(reader.unit.rules.settings.sensitivity_draws)


def moved_by_indicators(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.rows("change_sources")
    points = rows.loc[rows["source"] == "indicators", "points"].abs()
    yield found[1], points[points >= 1].min()
    yield found[2], points.max()


def indicator_value(reader: Reader, found: re.Match) -> Found:
    ids = reader.unit.rules.indicators.set_index("label")["indicator_id"]
    row = reader.unit.rows("explain").set_index("id").loc[ids[found["label"]]]
    yield found["share"], 100 * float(row["value"])
    yield found["n"], float(row["n"])


def a_week(reader: Reader, found: re.Match) -> Found:
    held = reader.unit.tasks.groupby(["unit_id", "job"])["people"].first()
    yield found[1], reader.value("last_mile_gap_hours") / held.sum() / 52


def reached_apart(reader: Reader, found: re.Match) -> Found:
    gaps = reader.rows[(reader.rows["measure"] == "role_gap") & (reader.rows["status"] == "ok")]
    yield found[1], float((gaps["low"] * gaps["high"] > 0).sum())


CURRENT = {"barrier": ""}
"""The barrier whose sentences are read."""
PATTERNS: list[tuple[str, Callable[[Reader, re.Match], Found]]] = [
    (
        rf"(?P<outcome>[^:|]+): (?P<point>{N})(?: in 100)? (?P<way>better|worse) \((?:at least (?P<lower>{N}), "
        rf"at most (?P<upper>{N})|between (?P<lower_2>{N}) (?:worse|better) and (?P<upper_2>{N}) (?:worse|better))"
        rf"(?:; the target was (?P<target>{N}))?(?:, written down after the start)?\)",
        trial_numbers,
    ),
    (rf"{PER_CENT} because .*", open_reasons),
    (
        rf"(?:^|; |voices, )(?!No barrier|Of )(?P<name>[A-Za-z ]+?) "
        rf"(?:holds|is among what|is what|has the lowest)[^:]*: people put it at "
        rf"(?P<said>{N}) of 100[^.]*?(?:, and the records show (?P<shown>{N}))?\.",
        voices,
    ),
    (rf"^(?P<name>[A-Za-z ]+): people put it at (?P<said>{N}) of 100(?P<shown>)", voices),
    (
        rf"^(?P<name>[A-Za-z ]+), \w+: people put it at (?P<said>{N}) of 100, "
        rf"(?:the records at (?P<shown>{N})(?: on \w+ of \w+ indicators)?|too few records)",
        voices,
    ),
    (
        rf"^(?:(?P<no>No) barrier stands|All (?P<total>{COUNT}) barriers stand)(?P<low>) below workable"
        rf"(?:; on (?P<less>{COUNT}) barriers? the records)?",
        below_workable,
    ),
    (
        rf"^(?P<no>)(?P<low>{COUNT}) of (?P<total>{COUNT}) barriers stands? below workable"
        rf"(?:; on (?P<less>{COUNT}) barriers? the records)?",
        below_workable,
    ),
    (rf"the records show (?P<yes>{COUNT}) of (?P<n>{N}) (?P<label>[^,]+(?:, [^,]+)*?), or they", records_side),
    (rf"the records show (?P<share>{SHARE})\u00a0% \((?P<label>.+?)(?:, n (?P<n>{N}))?\), or they", records_share),
    (rf"^\|(?P<yes>{COUNT}) of (?P<n>{N}) (?P<label>.+)$", records_side),
    (rf"^\|(?P<share>{SHARE})\u00a0% \((?P<label>.+?)(?:, n (?P<n>{N}))?\)$", records_share),
    (rf"(?P<share>{SHARE})\u00a0% (?P<label>(?:say|can say|know) [^;|]+)", twins_side),
    (rf"^The records show (?P<share>{SHARE})\u00a0% for (?P<label>.+?) \((?P<n>{N}) records\)", indicator_value),
    (
        rf"work put it at (?P<doing>{N}) \((?P<n_doing>{N}) answers\), those leading it at (?P<leading>{N}) "
        rf"\((?P<n_leading>{N}) answers\)",
        both_sides,
    ),
    (rf"went (?:up|down) by {N} points since the survey before \({N} to {N}\)", moved),
    (rf"(?:raised|lowered) it by {N} points", role_mix),
    (rf"\({N}\u00a0h per person and week\)", a_week),
    (rf"^\|{N} changes of actor along the workflow$",
     lambda reader, found: iter([(found[1], float(reader.twin("unit", "count")["record"]))])),
    (rf"^AI could save {N}\u00a0h a year here; {N}\u00a0h are realised, {N}\u00a0h are open",
     of_measure("potential_hours", "realised_hours", "last_mile_gap_hours")),
    (rf"^{PER_CENT} of the possible hours are realised", of_measure("realised_rate")),
    (rf"^{PER_CENT} of the realised hours were measured", of_measure("measured_share")),
    (rf"the time of {PER_CENT} of this work at equal quality; with added software around it, of {PER_CENT}",
     of_measure("exposure_alpha", "exposure_zeta")),
    (rf"^A model alone could speed up {PER_CENT} of the work", of_measure("exposure_alpha")),
    (rf"^Final decisions are right in {PER_CENT}, the advice alone in {PER_CENT}",
     of_measure("decision_accuracy", "advice_accuracy")),
    (rf"^Where the advice is wrong, it is followed in {PER_CENT} of cases", of_measure("over_reliance")),
    (rf"^{PER_CENT} of the steps with AI were re-cut; for {PER_CENT} more",
     of_measure("operating_system_share", "redesign_claimed_share")),
    (rf"^{PER_CENT} of the steps with AI were re-cut$", of_measure("operating_system_share")),
    (rf"^None of the steps with AI was re-cut; for {PER_CENT} more", of_measure("redesign_claimed_share")),
    (rf"^(?P<grow>{COUNT}) of (?P<all>{COUNT}) pilots (?:has|have) shown enough to grow"
     rf"(?:, (?P<stop>{COUNT}) should stop)?", pilots_judged),
    (rf"^{COUNT} of {COUNT} agreed actions? done(?:, {COUNT} overdue)?", agreed_done),
    (
        rf"^(?P<no>)Of (?P<total>{COUNT}) barriers? with both voices, (?P<low>{COUNT}) stands? below workable"
        rf"(?P<less>)",
        below_workable,
    ),
    (rf"^{COUNT} of {COUNT} kinds of evidence", absent_kinds),
    (rf"stays the lowest in {PER_CENT} of {N} other ways", weighings),
    (rf"moves them by {N} to {N} points", moved_by_indicators),
    (rf"^On {COUNT} barriers? those who lead", reached_apart),
    (rf"^Median time from flag to change: {N}\u00a0days",
     lambda reader, found: iter([(found[1], reader.value("feedback_loop_p50"))])),
]  # fmt: skip


def sentences(unit) -> Iterator[tuple[str, str]]:
    """Every finding of a handout (barrier, sentence): leads, headings, sentences; cells of say and do apart."""
    for text in (narrative.lead(unit), narrative.what_works(unit), narrative.barriers_heading(unit),
                 narrative.sensitivity_sentence(unit), narrative.other_indicators_sentence(unit),
                 narrative.hours_heading(unit), *narrative.hours_sentences(unit), narrative.workflow_heading(unit),
                 narrative.metrics_heading(unit), narrative.groups_heading(unit), narrative.themes_heading(unit),
                 narrative.trend_heading(unit), narrative.absent_heading(unit)):  # fmt: skip
        yield "", text
    if len(unit.verdicts):
        yield "", narrative.pilots_heading(unit)
    if len(unit.actions):
        yield "", narrative.agreed_heading(unit)
    for why in views.trials(unit)["why"] if len(unit.verdicts) else ():
        yield "", re.sub(r" About .* cases in each arm.*", "", why)
    for barrier_id in unit.rules.barriers["barrier_id"]:
        for make in (narrative.barrier_heading, narrative.groups_sentence, narrative.change_sentence):
            yield barrier_id, make(unit, barrier_id)
        for row in views.twins(unit, barrier_id).itertuples(index=False):
            yield barrier_id, row[0]
            yield barrier_id, f"|{row[1]}"


UNITS = ("*", "customer-operations", "underwriting-products", "members-distribution", "corporate-services",
         "motor-claims", "property-claims", "injury-claims", "contact-centre", "commercial-underwriting",
         "personal-underwriting", "actuarial-pricing", "broker-service", "member-marketing", "policy-administration",
         "data-it", "finance", "legal-compliance", "treasury")  # fmt: skip
NO_NUMBERS = re.compile(
    r"Levels? \d|of 100|in 100|\d{4}-Q\d|within \d+ (?:days|hours)|\d+ changes of actor|\b95 %|15 %"
)


def test_every_unit_of_the_sample_is_read(sample):
    assert set(UNITS) == {"*", *sample.units["unit_id"]}


@pytest.mark.parametrize("unit_id", UNITS)
def test_every_number_in_every_sentence_is_in_the_tables(sample, unit_id):
    unit = sample.unit(unit_id) if unit_id != "*" else sample
    reader, wrong, read_back = Reader(unit), [], 0
    said = [(barrier_id, one) for barrier_id, text in sentences(unit) for one in re.split(r"(?<=\.) (?=[A-Z\d])", text)]
    for barrier_id, text in said:
        CURRENT["barrier"], left = barrier_id, text
        for pattern, check in PATTERNS:
            for found in list(re.finditer(pattern, left, re.IGNORECASE if COUNT in pattern else 0)):
                pairs = list(check(reader, found))
                wrong += [(text, *pair) for pair in pairs if not same(*pair)]
                read_back += len(pairs)
                left = left.replace(found[0], " … ")
        if any(left.lower().removesuffix(".") in str(reason).lower() for reason in unit.verdicts["reason"]):
            continue  # a trial's own reason stands word for word in the table
        left = NO_NUMBERS.sub("", left)
        if re.search(r"\d", left):
            wrong.append((text, "not read back", left))
    assert wrong == []
    assert read_back > (60 if unit_id in ("motor-claims", "*") else 2)
