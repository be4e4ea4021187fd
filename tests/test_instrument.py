"""The shipped instrument keeps its rules, and a broken one is refused with every reason at once."""

import csv
import re
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aiready.errors import InfrastructureError, InstrumentError, UsageError
from aiready.instrument.files import STRATEGIES, level_columns
from aiready.instrument.languages import OPENING
from aiready.instrument.model import Instrument, Settings, read_instrument
from aiready.model.registry import MEASURES
from aiready.model.schema import BLOCKERS, ROLES
from aiready.package_files import package_file

LEVELS = list(level_columns(5))

# The questionnaire's blueprint: facets, and the roles asked (F, M, T, E).
BLUEPRINT = {
    "problem_definition": {
        "purpose": "FMTE", "number": "FMTE", "origin": "MTE", "priority": "FME", "limits": "MTE",
    },
    "user_involvement": {"timing": "FMT", "influence": "FMTE", "who": "FMTE", "time": "FM", "say": "FMTE"},
    "context_fit": {"place": "FMT", "case": "FMT", "rhythm": "FME", "division": "FMTE", "norm": "FMTE"},
    "trust_governance": {
        "answerable": "FMTE", "reasons": "FMT", "rules": "FMTE", "learning": "FM", "errors": "FMTE",
    },
    "measurement": {
        "compared": "MTE", "counted": "FMTE", "returned": "FMTE", "consequence": "MTE", "judged": "FM",
    },
}  # fmt: skip
INDICATORS = {
    "problem_definition": {
        "ready_before_pilot": (0, 0.9), "problem_quality": (25, 90), "business_metric_share": (0.2, 1),
        "target_known_fresh": (0, 0.9),
    },
    "user_involvement": {
        "involved_from_start": (0, 0.8), "adoption": (0.1, 0.7), "user_changes": (0, 0.7),
        "not_adopted_rate": (0.8, 0.2),
    },
    "context_fit": {
        "operating_system_share": (0, 0.6), "advice_in_time_share": (0.5, 0.95),
        "context_coverage": (0.5, 0.95), "rework_oversight_rate": (0.4, 0.05), "probe_accuracy": (0.5, 0.95),
    },
    "trust_governance": {
        "governance_complete": (0, 1), "monitoring_fresh": (0, 1), "feedback_closed_30d": (0.1, 0.8),
        "trained_share": (0.2, 0.95), "unsafe_answer_rate": (0.2, 0.01),
    },
    "measurement": {
        "baseline_before_pilot": (0, 0.95), "comparison_trials": (0, 0.8), "scaled_on_evidence": (0, 1),
        "measured_share": (0, 0.8), "label_coverage": (0, 0.8),
    },
}  # fmt: skip
GIVEN = {"involvement_timing", "reported_errors", "results_returned"}


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return read_instrument()


def words(text: str) -> int:
    return len(text.split())


def written(items: pd.DataFrame) -> pd.DataFrame:
    """The items written by us, without those whose words are fixed."""
    return items[~items["item_id"].isin(GIVEN)]


# The questionnaire's own rules


def test_facets_and_the_roles_asked_follow_the_blueprint(instrument: Instrument) -> None:
    letters = {role: role[0].upper() for role in ROLES}
    asked = {
        (row.barrier_id, row.facet): "".join(letters[role] for role in row.roles)
        for row in instrument.items.itertuples()
    }
    expected = {(barrier, facet): roles for barrier, facets in BLUEPRINT.items() for facet, roles in facets.items()}
    assert asked == expected
    assert list(instrument.barriers["barrier_id"]) == list(BLUEPRINT)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_asked_three_items_or_more_per_barrier(instrument: Instrument, role: str) -> None:
    assert instrument.items_for(role).groupby("barrier_id").size().reindex(list(BLUEPRINT), fill_value=0).min() >= 3


def test_two_items_or_more_per_barrier_are_common_to_all_roles(instrument: Instrument) -> None:
    common = instrument.items[[set(roles) == set(ROLES) for roles in instrument.items["roles"]]]
    assert common.groupby("barrier_id").size().reindex(list(BLUEPRINT), fill_value=0).min() >= 2


@pytest.mark.parametrize("role", ROLES)
def test_a_role_needs_about_ten_minutes(instrument: Instrument, role: str) -> None:
    """At 200 words a minute (plain non-fiction: 238, Brysbaert 2019) and five seconds for each choice."""
    items = instrument.items_for(role)
    words = " ".join([instrument.intro, *items[["wording", *LEVELS]].to_numpy().ravel()]).split()
    assert 6 <= len(words) / 200 + (len(items) + len(OPENING)) * 5 / 60 <= 12


def test_stems_and_levels_stay_short(instrument: Instrument) -> None:
    questions = instrument.items["wording"].where(
        instrument.items["item_id"] != "involvement_timing",
        instrument.items["wording"].str.split(". ", regex=False).str[-1],
    )
    levels = instrument.items[LEVELS].map(words).to_numpy()
    assert questions.map(words).max() <= 20
    assert levels.max() <= 16
    assert levels.mean() <= 10


def test_every_stem_ends_in_one_question(instrument: Instrument) -> None:
    assert (instrument.items["wording"].str.count(r"\?") == 1).all()
    assert instrument.items["wording"].str.endswith("?").all()


def test_levels_of_an_item_differ_and_are_sentences_of_their_own(instrument: Instrument) -> None:
    for levels in instrument.items[LEVELS].to_numpy():
        assert len(set(levels)) == 5
        assert all(level[0].isupper() and level.endswith(".") for level in levels)


def test_no_adverb_no_absolute_no_praise_carries_a_level(instrument: Instrument) -> None:
    banned = re.compile(
        r"\b(fully|often|clearly|only|even|partly|really|properly|regularly|sufficiently|completely|sometimes|rarely"
        r"|usually|actively|just|always|never|every|everyone|good|bad|poor|excellent|agree|disagree|strategy"
        r"|organisation|feel|feels)\b",
        re.IGNORECASE,
    )
    texts = written(instrument.items)[["wording", *LEVELS]].to_numpy().ravel()
    assert [text for text in texts if banned.search(text)] == []


def test_no_item_joins_two_facts_with_and(instrument: Instrument) -> None:
    texts = written(instrument.items)[["wording", *LEVELS]].to_numpy().ravel()
    assert [text for text in texts if " and " in text] == []


def test_no_item_names_a_barrier_or_is_reversed(instrument: Instrument) -> None:
    text = " ".join(instrument.items["wording"]).lower()
    assert [name for name in instrument.barriers["name"] if name.lower() in text] == []
    assert not instrument.items["reverse_scored"].any()


def test_items_are_not_grouped_by_barrier(instrument: Instrument) -> None:
    runs = (instrument.items["barrier_id"] != instrument.items["barrier_id"].shift()).sum()
    assert runs > 2 * len(instrument.barriers)


def test_every_theme_has_items_for_every_role(instrument: Instrument) -> None:
    for role in ROLES:
        assert instrument.items_for(role)["theme"].value_counts().reindex(["work", "workforce", "workplace"]).min() >= 3


def test_facet_labels_are_short_phrases(instrument: Instrument) -> None:
    assert instrument.items["facet_label"].map(words).between(2, 7).all()


def test_the_three_given_items_are_worded_as_given(instrument: Instrument) -> None:
    items = instrument.items.set_index("item_id")
    assert items.loc["reported_errors", "level_5"] == (
        "It was reported and answered, and we saw the outcome within a month."
    )
    assert items.loc["involvement_timing", "level_1"] == "They were not asked."
    assert items.loc["results_returned", "wording"] == (
        "In the last three months, what did you get to see about what AI changes in this unit's work?"
    )


def test_the_introduction_says_what_it_must(instrument: Instrument) -> None:
    for said in (
        "not yet validated",
        "never used for",
        "voluntary",
        "{minimum_group}",
        "{retention}",
        "{contact}",
    ):
        assert said in instrument.intro


# Indicators, twins, actions, patterns


def test_indicators_and_their_ends_follow_the_table(instrument: Instrument) -> None:
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for row in instrument.indicators.itertuples():
        found.setdefault(row.barrier_id, {})[row.measure] = (row.value_at_0, row.value_at_100)
    assert found == INDICATORS
    assert (instrument.indicators["weight"] == 1).all()


def test_twins_name_a_level_of_their_item(instrument: Instrument) -> None:
    assert instrument.twins["says_from"].between(2, 5).all()
    assert (instrument.twins["says"] != "").all()


def test_every_facet_indicator_blocker_and_blocking_barrier_has_an_action(instrument: Instrument) -> None:
    called = set(instrument.actions[["barrier_id", "trigger", "trigger_value"]].itertuples(index=False, name=None))
    wanted = {(row.barrier_id, "facet", row.facet) for row in instrument.items.itertuples()}
    wanted |= {(row.barrier_id, "indicator", row.indicator_id) for row in instrument.indicators.itertuples()}
    wanted |= {(row.barrier_id, "blocker", row.blocker) for row in instrument.blockers.itertuples()}
    wanted |= {(barrier, "band", "blocking") for barrier in instrument.barriers["barrier_id"]}
    assert wanted - called == set()
    assert len(instrument.actions) >= 40


def test_actions_cover_all_five_strategies_and_are_complete(instrument: Instrument) -> None:
    assert set(instrument.actions["strategy"]) == set(STRATEGIES)
    complete = ["action", "reason", "first_step", "owner_role", "effort"]
    assert (instrument.actions[complete] != "").all(axis=None)
    assert instrument.actions["action"].is_unique
    assert instrument.actions["reason"].str.contains("{value}", regex=False).all()


def test_actions_and_patterns_speak_of_no_money_no_posts_no_blame(instrument: Instrument) -> None:
    banned = re.compile(
        r"money|euro|dollar|[€$]|\bcost|\bbudget|\bposts?\b|\bjobs?\b|redundan|lay.?off|\bfte\b"
        r"|\bfault of|\bblame|\bresist|\blazy|\bunwilling|\bsave staff",
        re.IGNORECASE,
    )
    texts = np.concatenate([instrument.actions.to_numpy().ravel(), instrument.patterns.to_numpy().ravel()])
    assert [text for text in texts if banned.search(text)] == []


def test_reasons_can_be_filled(instrument: Instrument) -> None:
    filled = [reason.format(value="43 %", n=25) for reason in instrument.actions["reason"]]
    assert not any("{" in sentence for sentence in filled)


def test_the_six_patterns_name_the_measure_that_watches_them(instrument: Instrument) -> None:
    assert set(instrument.patterns["pattern_id"]) == {
        "ai_drafts", "ai_suggests", "ai_checks", "second_reader", "ai_samples", "ai_exceptions",
    }  # fmt: skip
    assert set(instrument.patterns["measure"]) <= set(MEASURES)
    assert set(instrument.actions["pattern_id"]) >= {"ai_drafts", "ai_suggests", "second_reader"}


def test_every_blocker_is_mapped_to_one_barrier(instrument: Instrument) -> None:
    assert sorted(instrument.blockers["blocker"]) == sorted(BLOCKERS)


def test_shipped_settings_list_every_default_with_its_meaning(instrument: Instrument) -> None:
    listed = pd.read_csv(package_file("data/instrument/settings.csv"), index_col="setting", keep_default_na=False)
    assert set(listed.index) == {*asdict(Settings()), "version", "language"}
    assert (listed["meaning"] != "").all()
    assert instrument.settings == Settings()


# Accessors


def test_band_of_puts_a_boundary_into_the_band_above(instrument: Instrument) -> None:
    values = pd.Series([0, 39.999, 40, 59.9, 60, 80, 100, np.nan], index=list("abcdefgh"))
    bands = instrument.band_of(values)
    assert bands.tolist() == [
        "blocking", "blocking", "slowing", "slowing", "workable", "clear", "clear", None,
    ]  # fmt: skip
    assert list(bands.index) == list("abcdefgh")


def test_items_for_keeps_the_order_and_refuses_an_unknown_role(instrument: Instrument) -> None:
    asked = instrument.items_for("executive")["item_id"].tolist()
    assert asked == [item for item in instrument.items["item_id"] if item in asked]
    assert len(instrument.items_for("")) == 25
    with pytest.raises(UsageError, match='Did you mean "manager"'):
        instrument.items_for("managr")


def test_shipped_data_inside_the_package_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, beside = tmp_path / "aiready" / "_shipped" / "notebooks", tmp_path / "notebooks"
    beside.mkdir()
    monkeypatch.setattr("aiready.package_files._PACKAGE", tmp_path / "aiready")
    assert package_file("notebooks") == beside
    inside.mkdir(parents=True)
    assert package_file("notebooks") == inside


def test_shipped_names_what_is_not_installed() -> None:
    with pytest.raises(InfrastructureError, match="data/nothing"):
        package_file("data/nothing")


# Replacement instruments

Rows = list[dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "instrument"
    shutil.copytree(package_file("data/instrument"), copy)
    return copy


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def change(path: Path, row: int, **cells: str) -> None:
    """Set cells of one row, counted as in a spreadsheet: the header is row 1."""
    rows = rows_of(path)
    rows[row - 2] |= cells
    write(path, rows)


def test_bom_semicolons_empty_lines_and_decimal_commas_are_read(folder: Path, instrument: Instrument) -> None:
    write(folder / "items.csv", rows_of(folder / "items.csv"), delimiter=";", encoding="utf-8-sig")
    indicators = [
        row | {"value_at_100": row["value_at_100"].replace(".", ",")} for row in rows_of(folder / "indicators.csv")
    ]
    write(folder / "indicators.csv", indicators, delimiter=";")
    bands = (folder / "bands.csv").read_text()
    (folder / "bands.csv").write_text("\n" + bands.replace("\n", ",,\n\n"))
    again = read_instrument(folder)
    assert again.digest == instrument.digest
    pd.testing.assert_frame_equal(again.indicators, instrument.indicators)
    pd.testing.assert_frame_equal(again.bands, instrument.bands)


BROKEN: dict[str, tuple[str, dict[str, str], str]] = {
    "unknown barrier": (
        "items.csv",
        {"barrier_id": "trust_governence"},
        'items.csv, row 3, column "barrier_id": Unknown barrier "trust_governence".* mean "trust_governance"',
    ),
    "unknown role": (
        "items.csv",
        {"roles": "frontline;boss"},
        'items.csv, row 3, column "roles": Unknown role "boss"',
    ),
    "unknown theme": ("items.csv", {"theme": "weather"}, 'row 3, column "theme": Unknown theme "weather"'),
    "reversed neither yes nor no": (
        "items.csv",
        {"reverse_scored": "maybe"},
        'row 3, column "reverse_scored": Unknown reverse scored "maybe"',
    ),
    "empty wording": ("items.csv", {"wording": " "}, 'items.csv, row 3, column "wording": is empty'),
    "empty level": ("items.csv", {"level_4": ""}, 'items.csv, row 3, column "level_4": is empty'),
    "repeated item": (
        "items.csv",
        {"item_id": "team_goal"},
        'row 3, column "item_id": "team_goal" is there already',
    ),
    "item named like a survey column": (
        "items.csv",
        {"item_id": "comment"},
        'row 3, column "item_id": "comment" is a column of every survey',
    ),
    "unknown measure": (
        "indicators.csv",
        {"measure": "problem_qualty"},
        'indicators.csv, row 3, column "measure": Unknown measure "problem_qualty".* mean "problem_quality"',
    ),
    "unknown facet": (
        "indicators.csv",
        {"facet": "errors"},
        'row 3, column "facet": Unknown problem_definition facet "errors"',
    ),
    "no number": (
        "indicators.csv",
        {"value_at_0": "low"},
        'row 3, column "value_at_0": "low" is not a number',
    ),
    "same ends": (
        "indicators.csv",
        {"value_at_0": "90"},
        'row 3, column "value_at_100": "90" is value_at_0 too',
    ),
    "weight of nothing": ("indicators.csv", {"weight": "0"}, 'row 3, column "weight": "0" is not above 0'),
    "bands not ascending": (
        "bands.csv",
        {"at_least": "0"},
        'bands.csv, row 3, column "at_least": "0" is not above the row before',
    ),
    "band above the scale": (
        "bands.csv",
        {"at_least": "140"},
        'row 3, column "at_least": "140" is above 100',
    ),
    "unknown blocker": (
        "blockers.csv",
        {"blocker": "rain"},
        'row 3, column "blocker": Unknown blocker "rain"',
    ),
    "unknown trigger": (
        "actions.csv",
        {"trigger": "moon"},
        'row 3, column "trigger": Unknown trigger "moon"',
    ),
    "unknown band called for": (
        "actions.csv",
        {"trigger_value": "blokking"},
        'row 3, column "trigger_value": Unknown band "blokking".* mean "blocking"',
    ),
    "unknown facet called for": (
        "actions.csv",
        {"trigger": "facet", "trigger_value": "errors"},
        'row 3, column "trigger_value": Unknown user_involvement facet "errors"',
    ),
    "unknown indicator called for": (
        "actions.csv",
        {"trigger": "indicator", "trigger_value": "adoptoin"},
        'column "trigger_value": Unknown indicator "adoptoin"',
    ),
    "unknown blocker called for": (
        "actions.csv",
        {"trigger": "blocker", "trigger_value": "rain"},
        'column "trigger_value": Unknown blocker "rain"',
    ),
    "unknown effort": ("actions.csv", {"effort": "huge"}, 'column "effort": Unknown effort "huge"'),
    "unknown strategy": ("actions.csv", {"strategy": "hope"}, 'column "strategy": Unknown strategy "hope"'),
    "unknown pattern": (
        "actions.csv",
        {"pattern_id": "ai_rules"},
        'column "pattern_id": Unknown pattern "ai_rules"',
    ),
    "unknown placeholder": (
        "actions.csv",
        {"reason": "{share} of it"},
        'column "reason": Unknown placeholder "share"',
    ),
    "open brace": ("actions.csv", {"reason": "{value of it"}, 'column "reason": .*brace without its partner'),
    "twin of nothing": (
        "twins.csv",
        {"measure": "", "register_column": ""},
        'column "measure": name a measure or a register_column',
    ),
    "unknown register column": (
        "twins.csv",
        {"measure": "", "register_column": "owners"},
        'column "register_column": Unknown register column "owners".* mean "owner"',
    ),
    "unknown setting": (
        "settings.csv",
        {"setting": "minimum_grup"},
        'settings.csv, row 3, column "setting": Unknown setting "minimum_grup".* mean "minimum_group"',
    ),
    "too few levels": (
        "settings.csv",
        {"value": "1"},
        'row 3, column "value": scale_points is "1".*from 2 to 11',
    ),
    "too many levels": ("settings.csv", {"value": "12"}, 'scale_points is "12".*from 2 to 11'),
    "setting not a number": (
        "settings.csv",
        {"value": "five"},
        'scale_points is "five". Write a whole number',
    ),
    "setting not whole": ("settings.csv", {"value": "4.5"}, 'scale_points is "4.5". Write a whole number'),
    "group of two": (
        "settings.csv",
        {"setting": "minimum_group", "value": "2"},
        'minimum_group is "2".*at least 3',
    ),
    "share above one": (
        "settings.csv",
        {"setting": "flag_fdr", "value": "10"},
        'flag_fdr is "10". Write a number from 0 to 1',
    ),
    "days below nothing": (
        "settings.csv",
        {"setting": "label_days", "value": "-3"},
        'label_days is "-3".*at least 0',
    ),
    "unknown role group": (
        "settings.csv",
        {"setting": "roles_doing", "value": "frontlin"},
        'roles_doing: Unknown role "frontlin"',
    ),
    "unknown check": (
        "settings.csv",
        {"setting": "governance_checks_low", "value": "privacy"},
        'Unknown check "privacy"',
    ),
    "repeated setting": ("settings.csv", {"setting": "version"}, '"version" is there already'),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_instrument_names_file_row_column_value_and_mend(folder: Path, case: str) -> None:
    file, cells, message = BROKEN[case]
    change(folder / file, 3, **cells)
    with pytest.raises(InstrumentError, match=message):
        read_instrument(folder)


def spoil(file: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / file
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")

    return apply


MISSHAPEN = {
    "missing file": (
        lambda folder: (folder / "items.csv").unlink(),
        "items.csv: missing from .*Copy the shipped",
    ),
    "empty file": (spoil("items.csv", lambda _: ""), 'items.csv: column "item_id" is missing'),
    "missing column": (
        spoil("indicators.csv", lambda text: text.replace("value_at_0", "at0", 1)),
        'indicators.csv: column "value_at_0" is missing',
    ),
    "missing level": (
        spoil("items.csv", lambda text: text.replace("level_3", "middle", 1)),
        'column "level_3" is missing',
    ),
    "level beyond the scale": (
        spoil("settings.csv", lambda text: text.replace("scale_points,5", "scale_points,4")),
        'items.csv: column "level_5", but scale_points is 4',
    ),
    "same column twice": (
        spoil("bands.csv", lambda text: text.replace("name", "band", 1)),
        'bands.csv: column "band" is there twice',
    ),
    "unquoted comma": (
        spoil("bands.csv", lambda text: text.replace("slowing\n", "slowing, a little\n")),
        "bands.csv, row 3: 4 cells for 3 columns",
    ),
    "open quotation mark": (
        spoil("bands.csv", lambda text: text.replace("40,slowing", '40,"slowing')),
        "bands.csv, row .*quotation marks",
    ),
    "no band from 0": (
        spoil("bands.csv", lambda text: text.replace("blocking,0", "blocking,10")),
        "the first band must begin at 0",
    ),
    "no barrier": (spoil("barriers.csv", lambda text: text.split("\n")[0]), "there is no barrier"),
    "barrier without item": (
        spoil("barriers.csv", lambda text: text + "luck,Luck,Luck helps.\n"),
        'barrier "luck" has no item',
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", MISSHAPEN)
def test_a_misshapen_file_is_one_clear_error(folder: Path, case: str) -> None:
    break_it, message = MISSHAPEN[case]
    break_it(folder)
    with pytest.raises(InstrumentError, match=message):
        read_instrument(folder)


def test_all_problems_are_named_at_once(folder: Path) -> None:
    change(folder / "items.csv", 3, roles="boss")
    change(folder / "settings.csv", 9, setting="flag_fdrr")
    change(folder / "indicators.csv", 4, measure="luck")
    with pytest.raises(InstrumentError) as caught:
        read_instrument(folder)
    text = str(caught.value)
    assert all(part in text for part in ('"boss"', '"flag_fdrr"', '"luck"'))
    assert len(text.splitlines()) == 3


def test_a_role_cannot_be_doing_and_leading(folder: Path) -> None:
    write(folder / "settings.csv", [{"setting": "roles_doing", "value": "manager"}])
    with pytest.raises(InstrumentError, match="manager stands in roles_doing as well as in roles_leading"):
        read_instrument(folder)


def test_a_missing_or_zero_setting_means_the_default(folder: Path) -> None:
    rows = [{"setting": name, "value": value} for name, value in (("minimum_group", "0"), ("flag_fdr", ""))]
    write(folder / "settings.csv", [*rows, {"setting": "minimum_records", "value": "0.0"}])
    assert read_instrument(folder).settings == Settings()


def test_settings_are_read_as_what_they_are(folder: Path) -> None:
    chosen = {"minimum_group": "7", "flag_fdr": "0,05", "roles_doing": "frontline", "version": "pilot 2"}
    write(folder / "settings.csv", [{"setting": name, "value": value} for name, value in chosen.items()])
    read = read_instrument(folder)
    assert read.settings == Settings(minimum_group=7, flag_fdr=0.05, roles_doing=("frontline",))
    assert read.version == "pilot 2"


@pytest.mark.parametrize("levels", [2, 7, 11])
def test_a_small_instrument_of_other_barriers_needs_three_files(tmp_path: Path, levels: int) -> None:
    write(tmp_path / "barriers.csv", [{"barrier_id": "data", "name": "Data"}])
    item = {"item_id": "d1", "barrier_id": "data", "wording": "What is there?"}
    write(tmp_path / "items.csv", [item | {f"level_{k}": f"Step {k}." for k in range(1, levels + 1)}])
    (tmp_path / "indicators.csv").write_text("indicator_id,barrier_id,measure,value_at_0,value_at_100\n")
    write(tmp_path / "settings.csv", [{"setting": "scale_points", "value": str(levels)}])
    small = read_instrument(tmp_path)
    assert small.items.loc[0, "roles"] == ROLES
    assert small.items.loc[0, "facet"] == "d1"
    assert small.settings.scale_points == levels
    assert len(small.actions) == len(small.twins) == len(small.blockers) == 0
    assert len(small.bands) == 4
    assert small.version == small.digest


def test_files_left_out_are_borrowed_as_far_as_they_fit(folder: Path, instrument: Instrument) -> None:
    for name in ("actions", "patterns", "sources", "blockers", "twins", "settings", "bands"):
        (folder / f"{name}.csv").unlink()
    (folder / "intro.md").unlink()
    kept = ["trust_governance", "measurement"]
    for name in ("barriers", "items", "indicators"):
        write(
            folder / f"{name}.csv",
            [row for row in rows_of(folder / f"{name}.csv") if row["barrier_id"] in kept],
        )
    smaller = read_instrument(folder)
    assert set(smaller.actions["barrier_id"]) == set(smaller.twins["barrier_id"]) == set(kept)
    fitting = instrument.actions[instrument.actions["barrier_id"].isin(kept)]
    assert smaller.actions["template_id"].tolist() == fitting["template_id"].tolist()
    assert smaller.intro == instrument.intro


# Digest


def test_order_case_and_white_space_leave_the_digest_alone(folder: Path, instrument: Instrument) -> None:
    rows = [row | {"wording": f"  {row['wording'].upper()}\n "} for row in rows_of(folder / "items.csv")]
    write(folder / "items.csv", rows[::-1])
    assert read_instrument(folder).digest == instrument.digest
    assert re.fullmatch("[0-9a-f]{12}", instrument.digest)


@pytest.mark.parametrize(
    "cells",
    [
        {"wording": "What is it for?"},
        {"level_2": "What it can do."},
        {"roles": "frontline"},
        {"item_id": "other"},
    ],
)
def test_changed_wording_levels_roles_or_ids_change_the_digest(
    folder: Path, instrument: Instrument, cells: dict[str, str]
) -> None:
    change(folder / "items.csv", 3, **cells)
    for path in folder.glob("items.*.csv"):
        path.unlink()
    assert read_instrument(folder).digest != instrument.digest


# How cells are written


def test_words_are_one_however_their_accents_are_composed(folder: Path) -> None:
    for path in folder.glob("*.??.csv"):
        path.unlink()
    bands, actions = rows_of(folder / "bands.csv"), rows_of(folder / "actions.csv")
    write(folder / "bands.csv", [bands[0] | {"band": "prüfen"}, *bands[1:]])
    apart = unicodedata.normalize("NFD", "prüfen")
    called = [row | {"trigger_value": apart} if row["trigger_value"] == bands[0]["band"] else row for row in actions]
    write(folder / "actions.csv", called)
    triggers = read_instrument(folder).actions["trigger_value"]
    assert (triggers == "prüfen").sum() == sum(row["trigger_value"] == apart for row in called) > 0


def test_a_number_that_could_be_thousands_is_no_number_of_an_instrument(folder: Path) -> None:
    change(folder / "indicators.csv", 0, value_at_100="12,500")
    with pytest.raises(InstrumentError, match='"12,500" is not a number'):
        read_instrument(folder)
