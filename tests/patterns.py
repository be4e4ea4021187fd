"""What sentences of a page look like, and which cells their numbers are: each pattern with its look-up."""

import re
from collections.abc import Callable

import rereading as seen
from prose import Said
from rereading import COUNT, HOURS, NUMBER, PER_CENT, SHARE, VALUE, Found, N, Reader, in_unit, of_measure, same

from aiready.model.registry import MEASURES

PATTERNS: list[tuple[str, Callable[[Reader, re.Match], Found]]] = [
    (
        rf"(?P<outcome>[^:|]+): (?P<point>{N})(?: in 100)? (?P<way>better|worse) \((?:at least (?P<lower>{N}), "
        rf"at most (?P<upper>{N})|between (?P<lower_2>{N}) (?:worse|better) and (?P<upper_2>{N}) (?:worse|better))"
        rf"(?:; the target was (?P<target>{N}))?(?:, written down after the start)?\)",
        seen.trial_numbers,
    ),
    (rf"(?:^|· |\|)(?P<n>{N})(?: of (?P<asked>{N}))? people answered(?: \((?P<rate>{SHARE})\u00a0%\))?",
     seen.who_answered),
    (rf"About {N} cases in each arm would show it", seen.still_needed),
    (rf"· {N} with, {N} without$", seen.arms),
    (rf"{PER_CENT} because .*", seen.open_reasons),
    (rf"Of {COUNT} barriers? with both voices, (?=[a-z ]+ has the lowest score)", seen.judged_barriers),
    (
        rf"(?:^|; |…)(?!No barrier|Of )(?P<name>[A-Za-z ]+?) "
        rf"(?:holds|is among what|is what|has the lowest)[^:]*: people put it at "
        rf"(?P<said>{N}) of 100[^.]*?(?:, and the records show (?P<shown>{N}))?\.",
        seen.voices,
    ),
    (rf"^(?:What works\. )?(?P<name>[A-Za-z ]+): people put it at (?P<said>{N}) of 100(?P<shown>)", seen.voices),
    (
        rf"^(?P<name>[A-Za-z ]+), (?:at worst )?\w+: people put it at (?P<said>{N}) of 100, "
        rf"(?:the records at (?P<shown>{N})(?: on (?P<known>{COUNT}) of (?P<all>{COUNT}) indicators)?|too few records)",
        seen.voices,
    ),
    (
        rf"^(?P<name>[A-Za-z ]+): the records put it at (?P<shown>{N}) of 100"
        rf"(?: on (?P<known>{COUNT}) of (?P<all>{COUNT}) indicators)?", seen.records_voice,
    ),
    (rf"The records (?:show least for|put) (?P<name>[A-Za-z ]+?)(?::| at) (?P<shown>{N}) of 100", seen.records_voice),
    (
        rf"^By the records alone, [A-Za-z ]+? (?:is lowest of (?P<total>{COUNT}) barriers?, at|stands at) "
        rf"(?P<shown>{N}) of 100", seen.voice_lowest,
    ),
    (
        rf"^(?:(?P<no>No) barrier stands|All (?P<total>{COUNT}) barriers stand)(?P<low>) below workable"
        rf"(?:; on (?P<less>{COUNT}) barriers? the records)?",
        seen.below_workable,
    ),
    (
        rf"^(?P<no>)(?P<low>{COUNT}) of (?P<total>{COUNT}) barriers stands? below workable"
        rf"(?:; on (?P<less>{COUNT}) barriers? the records)?",
        seen.below_workable,
    ),
    (
        rf"^(?P<no>)Of (?P<total>{COUNT}) barriers? with both voices, (?P<low>{COUNT}) stands? below workable"
        rf"(?P<less>)",
        seen.below_workable,
    ),
    (rf"^(?P<no>)(?P<less>)Barriers below workable (?P<low>{N}) of (?P<total>{N}) by", seen.below_workable),
    (rf"the records show (?P<yes>{COUNT}) of (?P<n>{N}) (?P<label>[^,]+(?:, [^,]+)*?), or they", seen.records_side),
    (rf"the records show (?P<share>{SHARE})\u00a0% \((?P<label>.+?)(?:, n (?P<n>{N}))?\), or they", seen.records_share),
    (rf"\|(?P<yes>{COUNT}) of (?P<n>{N}) (?P<label>.+)$", seen.records_side),
    (rf"\|(?P<share>{SHARE})\u00a0% \((?P<label>.+?)(?:, n (?P<n>{N}))?\)$", seen.records_share),
    (rf"(?P<share>{SHARE})\u00a0% (?P<label>(?:say|can say|know) [^;|…]+)", seen.twins_side),
    (rf"The records show (?P<share>{SHARE})\u00a0% for (?P<label>.+?) \((?P<n>{N}) records\)", seen.indicator_value),
    (
        rf"work put it at (?P<doing>{N}) \((?P<n_doing>{N}) answers\), those leading it at (?P<leading>{N}) "
        rf"\((?P<n_leading>{N}) answers\)",
        seen.both_sides,
    ),
    (rf"went (?:up|down) by {N} points since the survey before \({N} to {N}\)", seen.moved),
    (rf"(?:raised|lowered) it by {N} points", seen.role_mix),
    (rf"\({N}\u00a0h per person and week\)", seen.a_week),
    (rf"\|{N} changes of actor along the workflow$",
     lambda reader, found: iter([(found[1], float(reader.twin("unit", "count")["record"]))])),
    (rf"^AI could save {HOURS} a year here; {HOURS} are realised, {HOURS} are open",
     of_measure("potential_hours", "realised_hours", "last_mile_gap_hours")),
    (rf"^{PER_CENT} of the possible hours are realised", of_measure("realised_rate")),
    (rf"Of {HOURS} a year that AI could save here, {PER_CENT} are realised",
     of_measure("potential_hours", "realised_rate")),
    (rf"^{PER_CENT} of the realised hours were measured", of_measure("measured_share")),
    (rf"the time of {PER_CENT} of this work at equal quality; with added software around it, of {PER_CENT}",
     of_measure("exposure_alpha", "exposure_zeta")),
    (rf"^A model alone could speed up {PER_CENT} of the work", of_measure("exposure_alpha")),
    (rf"^Work a model alone could halve {PER_CENT} {PER_CENT} with added software",
     of_measure("exposure_alpha", "exposure_zeta")),
    (rf"^Final decisions are right in {PER_CENT}, the advice alone in {PER_CENT}",
     of_measure("decision_accuracy", "advice_accuracy")),
    (rf"Final decisions were right in (?P<team>{SHARE})\u00a0% of (?P<n>{N}) cases whose outcome is known"
     rf"(?:; the advice alone was right in (?P<advice>{SHARE})\u00a0%)?", seen.accurate),
    (rf"^Final decisions right {PER_CENT} of {N} whose outcome",
     of_measure("decision_accuracy", "decision_accuracy:n")),
    (rf"Where the advice (?:is|was) wrong, it (?:is|was) followed in {PER_CENT} of cases", of_measure("over_reliance")),
    (rf"Half of the decisions are taken within {VALUE}", of_measure("decision_speed_p50")),
    (rf"^{PER_CENT} of the steps with AI were re-cut; for {PER_CENT} more",
     of_measure("operating_system_share", "redesign_claimed_share")),
    (rf"^{PER_CENT} of the steps with AI were re-cut$", of_measure("operating_system_share")),
    (rf"^None of the steps with AI was re-cut; for {PER_CENT} more", of_measure("redesign_claimed_share")),
    (rf"^(?P<grow>{COUNT}) of (?P<all>{COUNT}) pilots (?:has|have) shown enough to grow"
     rf"(?:, (?P<stop>{COUNT}) should stop)?", seen.pilots_judged),
    (rf"^Pilots that may grow (?P<grow>{N}) of (?P<all>{N})(?P<stop>)(?P<others>.*)$", seen.pilots_otherwise),
    (
        rf"^(?P<done>{COUNT}) of (?P<total>{COUNT}) agreed actions? done(?:, (?P<late>{COUNT}) overdue)?",
        seen.agreed_done,
    ),
    (
        rf"^Of (?P<total>{COUNT}) agreed actions (?P<done>none) is done(?:, (?P<late>{COUNT}) overdue)?",
        seen.agreed_done,
    ),
    (rf"^Agreed actions done {N} of {N} {COUNT} actions? overdue", seen.late_actions),
    (rf"^(?:(?P<missing>{COUNT}) of|All) (?P<kinds>{COUNT}) kinds of evidence", seen.absent_kinds),
    (rf"stays the lowest in {PER_CENT} of {N} other ways", seen.weighings),
    (rf"moves them by {N} to {N} points", seen.moved_by_indicators),
    (rf"^On {COUNT} barriers? those who lead", seen.reached_apart),
    (rf"^(?P<label>[^:]+): (?P<value>{VALUE})(?P<wave>)$",
     lambda reader, found: seen.one_metric(reader, found) if reader.place == "h2" else iter(())),
    (rf"^People who answered {PER_CENT} of {N} asked", of_measure("response_rate", "response_rate:n")),
    (rf"· {COUNT} live initiatives?", seen.live_initiatives),
    (rf"^Possible hours realised (?P<rate>{SHARE})\u00a0% (?P<open>{N})\u00a0h "
     rf"(?:a year|per person and (?P<week>week)) still open", seen.hours_key),
    (rf"^Intended users who use it (?P<used>{SHARE})\u00a0% of (?P<n>{N}) intended uses"
     rf"(?:; organisation (?P<total>{SHARE})\u00a0%)?", seen.intended),
    (rf"^Time to a decision {VALUE} median, {N} to {N}$",
     lambda reader, found: seen.spread_of(reader, "decision_speed_p50", found)),
    (rf"people: (?:(?P<n>{N}) respondents, 95 % interval|none) · "
     rf"records: (?P<known>{COUNT}) indicators? of (?P<all>{N})", seen.profile_basis),
    (rf"up to {N} answers$", seen.most_answers),
    (rf"groups of fewer than {N} people are hidden$", seen.setting("minimum_group")),
    (rf"[Ff]ewer than {N} (?:gave answers that count|hold the jobs|people)", seen.setting("minimum_group")),
    (rf"an indicator counts from {N} records$", seen.setting("minimum_records")),
    (r"^Lowest item, level (?P<level>\d+) today · (?P<label>.+)$", seen.item_today),
    (rf"^Groups shown from\|{N} people; distributions from {N}$", seen.both_minimums),
    (rf"^Figures hidden here\|{N}$", seen.hidden_figures),
    (rf"^{COUNT} things? to do next$",
     lambda reader, found: iter([(found[1], float(min(3, len(reader.of_unit(reader.unit.recommended)))))])),
    (rf"^{COUNT} other tasks?$", seen.other_tasks),
    (rf"· the {N} largest of {N} tasks(?: that may be shown)?", seen.tasks_drawn),
    (r"^Asked of this meeting: .*$", seen.asked_of_meeting),
    (r"^(?P<unit>[^|]+)\|(?P<told>[A-Z][a-z ]+ \d[^%:]* of 100)$", seen.help_first),
    (rf"^Of {COUNT} initiatives? with both on record, .*$", seen.corner_counts),
    (rf"^{COUNT} initiatives? with use and a fresh outcome on record",
     lambda reader, found: iter([(found[1], float(len(seen.corners(reader))))])),
    (rf"^{N} initiatives on record$", seen.initiatives_on_record),
    (rf"^{PER_CENT} of {COUNT} scaled initiatives? had shown",
     of_measure("scaled_on_evidence", "scaled_on_evidence:n")),
    (rf"^What was learned is on record for {COUNT} of {COUNT} trials$", seen.learned),
    (rf"^{COUNT} initiatives? on record: (?P<told>.+)\.$", seen.generations),
    (rf"^(?P<row>[\w ]+)\|{VALUE} \({N} or more, n\u00a0{N}\)$", seen.days_or_more),
    (rf"rwg\(j\), is at least {N} and ICC\(2\) at least {N}, and the F test over units has a p below {N}\.",
     seen.ranking_limits),
    (rf"^What people say is hidden in {COUNT} units?$", seen.hidden_units),
]  # fmt: skip
CASELESS = [(re.compile(pattern, re.IGNORECASE if COUNT in pattern else 0), check) for pattern, check in PATTERNS]


def _pairs(*names: str) -> Callable[[Reader, re.Match], Found]:
    """Scores of the barrier profile, for each name that is told."""

    def check(reader: Reader, found: re.Match) -> Found:
        for name in names:
            if found[name]:
                yield found[name], reader.barrier(found["name"], name)

    return check


def _group(reader: Reader, found: re.Match) -> Found:
    barrier = reader.barrier_id(found["name"])
    yield found[3], reader.value("perception", segment=found["side"], barrier=barrier)


def _answered(reader: Reader, found: re.Match) -> Found:
    row = reader.explained("item", found["label"])
    rows = reader.of_unit(reader.unit.items)
    rows = rows[(rows["item_id"] == row["id"]) & (rows["segment"] == "all")].set_index("level")
    shares = rows["share"].fillna(rows["note"].map({">= 95 %": 0.95, "<= 5 %": 0.0}))
    yield found["low"], 100 * shares[["1", "2"]].sum()
    yield found["high"], 100 * shares[["4", "5"]].sum()
    if found["unknown"]:
        yield found["unknown"], 100 * shares["dont_know"]


def _indicator(reader: Reader, found: re.Match) -> Found:
    row = reader.explained("indicator", found["label"])
    measure = reader.unit.rules.indicators.set_index("indicator_id").loc[row["id"], "measure"]
    unit = MEASURES[measure].unit
    yield in_unit(found["value"], float(row["value"]), unit)
    yield found["points"], float(row["points"])


def _task_hours(reader: Reader, found: re.Match) -> Found:
    """Hours of one of the ten largest tasks, or of all others together."""
    rows = reader.with_hours()
    named = rows["task"] + " (" + rows["job"] + ")"
    told = found["task"].removesuffix(" …")
    head, dots, tail = (part.strip() for part in found["task"].partition("…"))
    cut = named.str.startswith(head) & named.str.endswith(tail) if dots else named.eq(told)
    mine = rows[rows["task"].eq(told) | cut].head(1)
    if told.endswith(("other task", "other tasks")):
        yield told.split(" ")[0], float(len(rows) - 10)
        mine = rows.iloc[10:]
    parts = {"realised": ["realised"],
             "below plan, rework, checking": ["gap_saving_below_plan", "gap_rework", "gap_oversight"]}  # fmt: skip
    assert len(mine) == 1 or found["part"] in parts
    yield found["hours"], seen.estimated(mine[parts.get(found["part"], ["gap_not_adopted"])].to_numpy().sum())


def _unit_hours(reader: Reader, found: re.Match) -> Found:
    ids = reader.unit.units.set_index("name")["unit_id"]
    rows = reader.unit.measures
    rows = rows[(rows["unit_id"] == ids[found["unit"]]) & (rows["wave"] == reader.unit.facts.wave)]
    rows = rows[rows["status"] == "ok"]
    labels = dict(reader.unit.rules.blockers[["blocker", "label"]].itertuples(index=False))
    waits = rows[(rows["measure"] == "gap_by_blocker") & (rows["segment"] != "all")]
    told = waits["segment"].map(labels)
    part = found["part"]
    if part == "realised":
        mine = rows[(rows["measure"] == "realised_hours") & (rows["segment"] == "all")]
    elif part == "reason not recorded":
        mine = waits[waits["segment"] == "unknown"]
    elif part == "another reason":
        mine = waits[~told.isin(reader.told_reasons) & (waits["segment"] != "unknown")]
    else:
        reader.told_reasons.add(part)
        mine = waits[told == part]
    yield found["hours"], seen.estimated(mine["value"].sum())


def _mode(reader: Reader, found: re.Match) -> Found:
    mode = {"people alone": "human", "people with AI": "augment", "AI alone": "automate"}[found["mode"]]
    column = {"today": "mode", "target": "target_mode"}[found["moment"]]
    yield found["count"], float((reader.unit.tasks[column] == mode).sum())


def _trial(reader: Reader, found: re.Match) -> Found:
    rows = reader.unit.verdicts.merge(reader.unit.initiatives[["initiative_id", "name"]], on="initiative_id")
    number = rows["trial_no"].map("{:.0f}".format)
    named = (rows["name"] == found["trial"]) | (rows["name"] + ", trial " + number == found["trial"])
    row = rows[named].iloc[0]
    scale = 100 if row["unit"] == "share" else 1
    yield found["bound"], scale * float(row["lower" if found["side"] == "least" else "upper"])
    yield found["target"], scale * float(row["target_effect"])


def _theme(reader: Reader, found: re.Match) -> Found:
    rows = reader.of_unit(reader.unit.themes).set_index("theme")
    yield found[2], float(rows.loc[found[1].lower(), "value"])


def _trend(reader: Reader, found: re.Match) -> Found:
    rows = reader.all_barriers
    rows = rows[(rows["unit_id"] == reader.unit.unit_id) & (rows["wave"] == found["wave"])].set_index("barrier_id")
    voice = {"people say": "perception", "records show": "practice"}[found["voice"]]
    yield found["value"], float(rows.loc[reader.barrier_id(found["name"]), voice])


def _unit_voices(reader: Reader, found: re.Match) -> Found:
    ids = reader.unit.units.set_index("name")["unit_id"]
    rows = reader.all_barriers[reader.all_barriers["wave"] == reader.unit.facts.wave]
    row = rows[rows["unit_id"] == ids[found["unit"]]].set_index("barrier_id").loc[reader.barrier_id(found["name"])]
    for voice in ("perception", "practice"):
        if found[voice]:
            yield found[voice], float(row[voice])


def _stage(reader: Reader, found: re.Match) -> Found:
    yield found[2], float((reader.unit.initiatives["stage"] == found[1]).sum())


def _corner(reader: Reader, found: re.Match) -> Found:
    rows = seen.corners(reader)
    names = reader.unit.initiatives.drop_duplicates("initiative_id").set_index("initiative_id")["name"]
    row = rows.loc[names[names == found["name"]].index[0]]
    yield found["used"], 100 * row["adoption"]
    yield found["way"], 100 * row["progress"]


NAME = r"(?P<name>[A-Za-z ]+)"
DESCRIBED: dict[str, tuple[str, Callable[[Reader, re.Match], Found]]] = {
    "fig-barriers": (
        rf"{NAME}: (?:(?P<score>{N}) of 100, (?:at worst )?\w+|no score), people (?:(?P<perception>{N})|–), "
        rf"records (?:(?P<practice>{N})|–)",
        _pairs("score", "perception", "practice"),
    ),
    "fig-groups": (rf"{NAME}, those (?P<side>doing|leading) (?:the work|it): {N}", _group),
    "fig-answers": (
        rf"(?P<label>.+): level 1–2: (?P<low>{SHARE})\u00a0% · level 4–5: (?P<high>{SHARE})\u00a0%"
        rf"(?: · don't know: (?P<unknown>{SHARE})\u00a0%)?",
        _answered,
    ),
    "fig-records": (rf"(?P<label>.+): (?P<value>{VALUE}), (?P<points>{N}) of 100", _indicator),
    "fig-hours": (rf"(?P<task>.+), (?P<part>realised|below plan, rework, checking|[^,]+(?:, or nobody [^,]+)?): "
                  rf"(?P<hours>{N})\u00a0h", _task_hours),
    "fig-unit-hours": (rf"(?P<unit>[^,]+), (?P<part>.+): (?P<hours>{N})\u00a0h", _unit_hours),
    "fig-modes": (r"(?P<moment>today|target), (?P<mode>[\w ]+): (?P<count>\d+)", _mode),
    "fig-pilots": (rf"(?P<trial>.+): [A-Z ]+, at (?P<side>least|most) (?P<bound>{N}), target (?P<target>{N})", _trial),
    "fig-metrics": (rf"(?P<label>.+), (?P<wave>\d{{4}}-Q\d): (?P<value>{VALUE})", seen.one_metric),
    "fig-themes": (rf"(\w+): {N}", _theme),
    "fig-trend": (rf"{NAME}, (?P<wave>\d{{4}}-Q\d), (?P<voice>people say|records show): (?P<value>{N})", _trend),
    "fig-units": (
        rf"(?P<unit>[^,]+), {NAME}: people (?:(?P<perception>{N})|–), records (?:(?P<practice>{N})|–)", _unit_voices),
    "fig-stages": (r"(\w+): (\d+)", _stage),
    "fig-corners": (
        rf"(?P<name>.+): adoption (?P<used>{SHARE})\u00a0%, way to target (?P<way>{SHARE})\u00a0%", _corner),
}  # fmt: skip
"""Descriptions of figures by the name of the figure: what one mark is told as."""
FIXED = re.compile(
    "|".join(
        [
            r"\b0 to 100\b", r"of 100\b", r"with 95 % interval", r"bars: 95 % interval", r"(?:^|\|)95 % interval$",
            r"carry a 95\u00a0% interval", r"is 0 where people here .* and 1 where all answer alike", r"\bICC\([12]\)",
            r"95 % and 90 % interval", r"^Intervals\|95 %: t for means", r"^Data\|digest [0-9a-f]{12}$",
            r"^Whether two groups differ at all .* \(Cliff's delta, 95 %\)\.$",
            r"\(Eloundou et al\. 2023\)", r"the records do not reach two indicators of any barrier", r"\bsix metrics\b",
            r"level 1–2: – · level 4–5: – · don't know: –",
            r"^Levels (?:1–2|4–5)$", r"^Level [1-5]$", r"\bSix metrics\b",
            r"^\d+ more in the table of numbers\.?$",
        ]
    )
)  # fmt: skip
"""Words with numbers that are the same on every page: what a scale or an interval is."""


MAYBE = re.compile(rf"{NUMBER.pattern}|\b(?:no|none|one)\b", re.IGNORECASE)


def unread(reader: Reader, said: Said) -> tuple[list[tuple], int]:
    """What of a text's numbers is wrong or accounted for by no cell, and how many were read back."""
    section = {key.lower(): value for key, value in reader.named.items()}.get(said.section.lower(), "")
    reader.current, (figure, _, reader.place) = section, said.place.rpartition(" ")
    wrong: list[tuple] = []
    count = 0
    for text in filter(MAYBE.search, sentences(said)):
        left, pairs = _read_back(reader, said, figure, text)
        wrong += [(text, *pair) for pair in pairs if not same(*pair)]
        count += len(pairs)
        if NUMBER.search(left):
            wrong.append((text, "not read back", left))
    return wrong, count


def sentences(said: Said) -> list[str]:
    """The sentences of a text; of a description, what it tells of each mark."""
    if said.place.endswith("desc"):
        return said.text.split(". ")
    return re.split(r"(?<=\.) (?=[A-Z]|[<>\d\u202f\u00a0]+%)", said.text)


def _read_back(reader: Reader, said: Said, figure: str, text: str) -> tuple[str, list[tuple[str, float]]]:
    pairs: list[tuple[str, float]] = []
    if said.place.endswith("desc"):
        kind = next((name for name in sorted(DESCRIBED, key=len, reverse=True) if figure.startswith(name)), "")
        told = re.fullmatch(DESCRIBED[kind][0], text.removesuffix(".")) if kind else None
        if told:
            return "", list(DESCRIBED[kind][1](reader, told))
    left = text
    for template in reader.templates:
        if found := template.fullmatch(left):
            return "", list(seen.reason(reader, found))
    for pattern, check in CASELESS:
        for found in list(pattern.finditer(left)):
            pairs += check(reader, found)
            left = left.replace(found[0], "…")
    for words in reader.wording:
        left = left.replace(words, "…")
    return FIXED.sub("", reader.dates.sub("", left)), pairs
