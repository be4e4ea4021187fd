"""Write sentences on barriers: what people say, groups, the next level, themes, trend."""

from dataclasses import dataclass

import pandas as pd

from aiready.messages import Language
from aiready.model.registry import OK, SUPPRESSED
from aiready.pages.sentences.hiding import EITHER, hidden_barriers, say_hidden, why_survey_hidden
from aiready.profile.assessment import Assessment


def barrier_name(unit: Assessment, barrier_id: str) -> str:
    """A barrier's name as readers know it."""
    return unit.cached(_barrier_names).get(barrier_id, barrier_id)


def _barrier_names(unit: Assessment) -> dict[str, str]:
    return dict(zip(unit.rules.barriers["barrier_id"], unit.rules.barriers["name"], strict=True))


def _barrier_row(unit: Assessment, barrier_id: str) -> pd.Series | None:
    rows = unit.rows("barriers")
    matching = rows.loc[rows["barrier_id"] == barrier_id]
    return matching.iloc[0] if len(matching) else None


def ranked_barriers(unit: Assessment) -> pd.DataFrame:
    """Barriers of the wave shown, lowest first, by the richest value any has: `on` score, perception or practice."""
    rows = unit.rows("barriers")
    for basis, value in (("both", "score"), ("perception", "perception"), ("practice", "practice")):
        on_basis = rows.loc[rows["basis"].isin([basis, "both"]) & rows[value].notna()]
        if len(on_basis):
            rounded = on_basis[value].round(6)  # the last digits of a sum depend on what else was summed with it
            ordered = on_basis.assign(on=value, alike=rounded).sort_values(["alike", "barrier_id"], ignore_index=True)
            return ordered.drop(columns="alike")
    return rows.iloc[:0].assign(on="")


def flag_side(flag: str) -> str:
    """The side of the rest of the organisation that a barrier is flagged on: below, above, or empty."""
    word = flag.split(" ")[0]
    return word if word in ("below", "above") else ""


def widest_facet(unit: Assessment, barrier_id: str) -> str:
    """The facet of a barrier where what people say exceeds the records most; empty if no facet has both."""
    facets = unit.rows("facets")
    paired = facets.loc[(facets["barrier_id"] == barrier_id) & facets["record_yes"].notna() & facets["says"].notna()]
    if paired.empty:
        return ""
    widest = paired.assign(distance=paired["says"] - paired["record"]).sort_values("distance", ascending=False)
    return facet_sentence(widest.iloc[0], unit.language)


def facet_sentence(facet: pd.Series, language: Language) -> str:
    """What people say and what records show on one facet, in natural units."""
    return language.say("facet.both", said=people_words(facet, language), shown=records_words(facet, language))


MAX_COUNT_IN_WORDS = 20
"""Up to this many records, a sentence gives the count (3 of 9), beyond the share."""


def people_words(facet: pd.Series, language: Language) -> str:
    """What people say on one facet, as a share of the answers."""
    if pd.isna(facet["says"]):
        return language.say("facet.unknown", label=facet["says_label"])
    return language.say("facet.said", share=language.share(facet["says"]), says=facet["says_label"])


def records_words(facet: pd.Series, language: Language) -> str:
    """What records show on one facet: a count if they are few, else a share, or a number in its own unit."""
    label, n = facet["record_label"], facet["record_n"]
    if pd.isna(facet["record"]):
        return language.say("facet.unknown", label=label)
    if pd.isna(facet["record_yes"]):
        if facet["unit"] != "count":
            return language.say("facet.share", share=language.share(facet["record"]), label=label)
        plain = language.number(facet["record"], int(facet["record"] != round(facet["record"])))
        return language.say("facet.number", number=plain, label=label)
    blanks = {"n": language.number(n), "label": label}
    if n > MAX_COUNT_IN_WORDS:
        return language.say("facet.share_n", share=language.share(facet["record"]), **blanks)
    if not facet["record_yes"]:
        return language.say("facet.none", **blanks)
    return language.say("facet.yes", yes=language.number(facet["record_yes"]), **blanks)


def barriers_heading(unit: Assessment) -> str:
    """How many barriers are below workable, and on how many records show less than people say."""
    language, rows = unit.language, ranked_barriers(unit)
    if rows.empty:
        return language.say("barriers.unjudged")
    value, total = rows["on"].iloc[0], len(rows)
    if value == "practice":
        name, practice = barrier_name(unit, rows["barrier_id"].iloc[0]), language.score(rows["practice"].iloc[0])
        blanks = {"barrier": language.mid_sentence(name), "shown": practice}
        return (
            language.say("barriers.records_lowest", total=total, **blanks)
            if total > 1
            else language.say("barriers.records_one", **blanks)
        )
    low = int(rows["band" if value == "score" else "perception_band"].isin(bands_below_workable(unit)).sum())
    if value == "score" and total < len(measured_barriers(unit)):
        return _low_of_some(unit, low, total)
    head = _low_of_all(unit, low, total)
    if value == "perception":
        return language.say("barriers.people_alone", finding=head)
    less = int((rows["practice"] < rows["perception_low"].fillna(rows["perception"])).sum())
    return language.say("barriers.less", less, finding=head) if less else head


def _low_of_some(unit: Assessment, low: int, total: int) -> str:
    """How many barriers are below workable, of those where both voices are known."""
    band = workable_band(unit)
    if total == 1:
        return unit.language.say("barriers.of_one", low, band=band)
    return unit.language.say("barriers.of_some", low, total=total, band=band)


def _low_of_all(unit: Assessment, low: int, total: int) -> str:
    """How many of all barriers are below workable."""
    language, band = unit.language, workable_band(unit)
    if low == total:
        return (
            language.say("barriers.all", total=total, band=band)
            if total > 1
            else language.say("barriers.the_one", band=band)
        )
    if not low:
        return language.say("barriers.none", band=band)
    return language.capitalize(language.say("barriers.some", low, total=total, band=band))


def workable_band(unit: Assessment) -> str:
    """Name of the workable band, the last but one: barriers below it hold the unit back."""
    return str(unit.rules.bands.sort_values("at_least")["name"].iloc[-2])


def bands_below_workable(unit: Assessment) -> set[str]:
    """The bands below the workable one."""
    return set(unit.rules.bands.sort_values("at_least")["band"].iloc[:-2])


def measured_barriers(unit: Assessment) -> list[str]:
    """Barriers where either voice is known."""
    rows = unit.rows("barriers")
    return list(rows.loc[rows[["perception", "practice"]].notna().any(axis=1), "barrier_id"])


def unknown_sentence(unit: Assessment) -> str:
    """Barriers about which nothing is known; empty if there is none."""
    evidence = unit.rows("explain")
    known_barriers = set(evidence.loc[evidence["status"] == OK, "barrier_id"]) | set(measured_barriers(unit))
    language = unit.language
    known_barriers |= set() if why_survey_hidden(unit) else set(hidden_barriers(unit))
    absent = [name for name in unit.rules.barriers["barrier_id"] if name not in known_barriers]
    names = [language.mid_sentence(barrier_name(unit, name)) for name in absent]
    return language.say("barriers.unknown", names=language.join_names(names)) if names else ""


def hidden_sentences(unit: Assessment) -> list[str]:
    """Barriers where what people say is hidden although others are shown: a sentence per reason."""
    if why_survey_hidden(unit):
        return []
    language, hidden = unit.language, hidden_barriers(unit)
    sentences = []
    for reason in dict.fromkeys(hidden.values()):
        names = (language.mid_sentence(barrier_name(unit, name)) for name, why in hidden.items() if why == reason)
        sentences.append(say_hidden(unit, "barriers.part_hidden", reason, names=language.join_names(names)))
    return sentences


def barrier_heading(unit: Assessment, barrier_id: str) -> str:
    """One barrier's finding: leaders and doers differ, else it is above or below the rest, else its band and voices."""
    language, name = unit.language, barrier_name(unit, barrier_id)
    doing, leading = (unit.cell("perception", side, barrier_id=barrier_id) for side in ("doing", "leading"))
    gap = unit.cell("role_gap", barrier_id=barrier_id)
    if gap.ok and doing.ok and leading.ok and gap.low * gap.high > 0:
        more = "leading_more" if leading.value > doing.value else "leading_less"
        return language.say(f"barrier.{more}", name=name)
    row = _barrier_row(unit, barrier_id)
    if row is None:
        return language.say("barrier.not_measured", name=name)
    if flag := flag_side(row["flag"]):
        return language.say(f"barrier.{flag}", name=name)
    return _band_and_voices(unit, row, name)


def _band_and_voices(unit: Assessment, row: pd.Series, name: str) -> str:
    """A barrier's band and voices, as far as known; else why there are none."""
    language = unit.language
    voices = {"said": language.score(row["perception"]), "shown": language.score(row["practice"])}
    if pd.notna(row["score"]) and row["band"]:
        return _with_coverage(unit, row, "barrier.both", name=name, band=band_words(unit, row), **voices)
    if pd.notna(row["perception"]) and row["perception_band"]:
        band_names = unit.rules.bands.set_index("band")["name"]
        return language.say("barrier.people", name=name, band=band_names[row["perception_band"]], said=voices["said"])
    if pd.notna(row["practice"]):
        return _with_coverage(unit, row, "barrier.records", name=name, shown=voices["shown"])
    if row["status"] != SUPPRESSED:
        return language.say("barrier.few", name=name)
    return say_hidden(unit, "barrier.hidden", hidden_barriers(unit).get(row["barrier_id"], EITHER), name=name)


def band_words(unit: Assessment, row: pd.Series) -> str:
    """The band of a score in words, `at worst` if it is lower than the score's own for lack of records; or empty."""
    if pd.isna(row["score"]):
        return ""
    name = str(unit.rules.bands.set_index("band").loc[row["band"], "name"])
    own = unit.rules.band_of(pd.Series([row["score"]], dtype=float)).iloc[0]
    return name if own == row["band"] else unit.language.say("barrier.at_worst", band=name)


def _with_coverage(unit: Assessment, row: pd.Series, key: str, **blanks: str) -> str:
    """Say a phrase, adding how many of the barrier's indicators have a value if not all do."""
    total = int(_indicator_counts(unit).get(row["barrier_id"], 0))
    n_with_value = round(row["practice_coverage"] * total) if pd.notna(row["practice_coverage"]) else total
    if n_with_value >= total:
        return unit.language.say(key, **blanks)
    return unit.language.say(f"{key}_partial", total, known=n_with_value, **blanks)


def groups_sentence(unit: Assessment, barrier_id: str) -> str:
    """What those doing the work and those leading it say, with numbers."""
    doing, leading = (unit.cell("perception", side, barrier_id=barrier_id) for side in ("doing", "leading"))
    if not (doing.ok and leading.ok):
        return ""
    language = unit.language
    answers = {"doing_answers": language.number(doing.n), "leading_answers": language.number(leading.n)}
    scores = {"doing": language.score(doing.value), "leading": language.score(leading.value)}
    return language.say("groups.said", **scores, **answers)


def change_sentence(unit: Assessment, barrier_id: str) -> str:
    """The change since the wave before, as far as its interval shows one."""
    language, change = unit.language, unit.cell("change", barrier_id=barrier_id)
    if not change.ok:
        return ""
    if change.low <= 0 <= change.high:
        return language.say("change.none")
    spread = language.interval(change.low, change.high, "points")
    key = "change.up" if change.value > 0 else "change.down"
    change_words = language.say(key, points=language.score(abs(change.value)), interval=spread)
    return " ".join(filter(None, [change_words, _role_mix_sentence(unit, barrier_id)]))


MIN_POINTS_IN_SENTENCE = 1.0
"""Points from which a sentence says where a change came from."""


def _role_mix_sentence(unit: Assessment, barrier_id: str) -> str:
    rows = unit.rows("change_sources")
    points = rows.loc[(rows["barrier_id"] == barrier_id) & (rows["source"] == "role_mix"), "points"].dropna()
    if points.empty or abs(points.iloc[0]) < MIN_POINTS_IN_SENTENCE:
        return ""
    key = "change.roles_raised" if points.iloc[0] > 0 else "change.roles_lowered"
    return unit.language.say(key, points=unit.language.score(abs(points.iloc[0])))


def other_indicators_sentence(unit: Assessment) -> str:
    """Barriers whose practice is based on other indicators than in the wave before, so that it cannot be compared."""
    rows = unit.rows("change_sources")
    rows = rows.loc[(rows["source"] == "indicators") & (rows["points"].abs() >= MIN_POINTS_IN_SENTENCE)]
    if rows.empty:
        return ""
    language, moved = unit.language, rows["points"].abs()
    names = language.join_names(barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"])
    least, most = language.score(moved.min()), language.score(moved.max())
    return language.say("change.indicators", names=names, least=least, most=most)


def sensitivity_sentence(unit: Assessment) -> str:
    """How often the lowest barrier stays lowest under other weights of voices and indicators."""
    rows = unit.rows("sensitivity")
    if rows.empty:
        return ""
    row, language = rows.iloc[0], unit.language
    draws = language.number(unit.rules.settings.sensitivity_draws)
    name = barrier_name(unit, row["barrier_id"])
    return language.say("barriers.sensitivity", name=name, share=language.share(row["share"]), draws=draws)


@dataclass(frozen=True)
class ItemLevel:
    """An item: its label and wording, its lower median level, and the words of that level and of the next."""

    label: str
    wording: str
    level: int
    words: str
    next_words: str


def weakest_item(unit: Assessment, barrier_id: str) -> ItemLevel | None:
    """The item of a barrier with the lowest points, of those whose distribution may be shown; None without one."""
    explained = unit.rows("explain")
    rows = explained.loc[
        (explained["kind"] == "item") & (explained["barrier_id"] == barrier_id) & (explained["status"] == OK)
    ]
    levels = unit.cached(item_levels)
    rows = rows.loc[rows["id"].isin(levels.index)].sort_values(["points", "id"])
    if rows.empty:
        return None
    item = unit.rules.items.set_index("item_id").loc[rows.iloc[0]["id"]]
    level = int(levels[rows.iloc[0]["id"]])
    following = str(item.get(f"level_{level + 1}", "") or "")
    return ItemLevel(str(item["facet_label"]), str(item["wording"]), level, str(item[f"level_{level}"]), following)


def item_levels(unit: Assessment) -> pd.Series:
    """Lower median level of every item that may be shown: item_id -> level."""
    rows = unit.rows("items")
    rows = rows.loc[(rows["segment"] == "all") & (rows["status"] == OK)]
    rows = rows.assign(step=pd.to_numeric(rows["level"], errors="coerce")).dropna(subset=["step", "n"])
    rows = rows.sort_values(["item_id", "step"])
    shares = rows["share"].fillna(rows["note"].eq(">= 95 %").astype(float)).astype(float)
    running = shares.groupby(rows["item_id"]).cumsum()
    return rows.loc[running >= 0.5 - 1e-9].groupby("item_id")["step"].first()


def basis_words(unit: Assessment) -> str:
    """What the two voices are based on: how many answers, and how many indicators."""
    language, rows = unit.language, unit.rows("barriers")
    n = rows["n"].max()
    nobody = language.say("basis.hidden" if why_survey_hidden(unit) else "basis.nobody")
    people = language.say("basis.people", n=language.number(n)) if pd.notna(n) else nobody
    counted = int((rows["practice_coverage"] * _indicator_counts(unit).reindex(rows["barrier_id"]).to_numpy()).sum())
    return f"{people} · {language.say('basis.records', counted, total=str(_indicator_counts(unit).sum()))}"


def _indicator_counts(unit: Assessment) -> pd.Series:
    return unit.rules.indicators.groupby("barrier_id").size()


def why_no_profile(unit: Assessment) -> str:
    """Why no barrier can be shown."""
    reason = why_survey_hidden(unit)
    return say_hidden(unit, "barriers.why_hidden", reason) if reason else unit.language.say("barriers.why_nothing")


def groups_heading(unit: Assessment) -> str:
    """On how many barriers leaders and doers differ."""
    gaps = [unit.cell("role_gap", barrier_id=name) for name in unit.rules.barriers["barrier_id"]]
    comparable = [gap for gap in gaps if gap.ok]
    n_apart = sum(gap.low * gap.high > 0 for gap in comparable)
    if not comparable:
        return unit.language.say("groups.plain")
    return unit.language.say("groups.apart", n_apart) if n_apart else unit.language.say("groups.none")


def themes_heading(unit: Assessment) -> str:
    """Which of work, workforce, workplace is lowest, if the intervals show it."""
    rows = unit.rows("themes")
    rows = rows.loc[rows["status"] == OK].sort_values("value")
    if len(rows) > 1 and rows.iloc[0]["high"] < rows.iloc[1]["low"]:
        return unit.language.say("themes.lowest", theme=unit.language.label(f"theme.{rows.iloc[0]['theme']}"))
    return unit.language.say("themes.none")


def trend_heading(unit: Assessment) -> str:
    """On which barriers there is a demonstrated change since the wave before."""
    cells = {name: unit.cell("change", barrier_id=name) for name in unit.rules.barriers["barrier_id"]}
    language = unit.language
    up = [barrier_name(unit, name) for name, cell in cells.items() if cell.ok and cell.low > 0]
    down = [barrier_name(unit, name) for name, cell in cells.items() if cell.ok and cell.high < 0]
    if not any(cell.ok for cell in cells.values()):
        perceptions = unit.barriers.loc[unit.barriers["unit_id"] == unit.unit_id, "perception"]
        return language.say("trend.title" if perceptions.notna().any() else "trend.records")
    names_by_direction = {name: language.join_names(names) for name, names in (("up", up), ("down", down)) if names}
    return language.say(
        f"trend.{'both' if len(names_by_direction) > 1 else next(iter(names_by_direction), 'none')}",
        **names_by_direction,
    )
