"""Exports that were misread, lost or refused without a word: each with what is right, worked out by hand."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from export_files import Asked, google_forms, limesurvey, microsoft_forms, people, qualtrics, surveymonkey
from openpyxl import load_workbook

from aiready.cli import commands
from aiready.collection.questionnaire import build_questionnaire, render
from aiready.collection.questionnaire.workbook import ANSWER_SHEET
from aiready.collection.survey_import import ImportRequest, ImportResult, import_file
from aiready.collection.survey_import.summary import summary_lines
from aiready.collection.survey_import.vocabulary import build_vocabulary
from aiready.errors import InputError, InstrumentError, UsageError
from aiready.instrument.model import read_instrument

UNITS = "unit_id,name,parent_id,headcount\nmotor-claims,Motor claims,,40\ncontact-centre,Contact centre,,60\n"
Rows = list[list[str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "units.csv").write_text(UNITS)
    return folder


@pytest.fixture
def bring(data: Path, tmp_path: Path) -> Callable[..., ImportResult]:
    def run(file: Path, **options: object) -> ImportResult:
        return import_file(ImportRequest(file, data, key=tmp_path / "own" / "key", **options))

    return run


def stored(data: Path) -> pd.DataFrame:
    parts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted((data / "responses").glob("*.csv"))]
    return pd.concat(parts, ignore_index=True)


def aside(data: Path) -> pd.DataFrame:
    parts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in (data / "quarantine").glob("*.csv")]
    return pd.concat(parts, ignore_index=True)


def cells(file: Path) -> Rows:
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))


def write_cells(file: Path, rows: Rows) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return file


def column(rows: Rows, name: str) -> int:
    return next(row.index(name) for row in rows if name in row)


def put(rows: Rows, name: str, values: list[str], heads: int) -> None:
    """Write values into a column, from the first answer on."""
    place = column(rows[:heads], name)
    for row, value in zip(rows[heads:], values, strict=False):
        row[place] = value


def map_of(file: Path) -> pd.DataFrame:
    return pd.read_csv(file.with_name(f"{file.stem}.map.csv"), dtype=str, keep_default_na=False)


def asked_of(bring: Callable[..., ImportResult], file: Path, **options: object) -> tuple[str, pd.DataFrame]:
    """What an import that must stop says, and the map it wrote."""
    with pytest.raises(InputError) as stopped:
        bring(file, **options)
    return str(stopped.value), map_of(file)


def save_map(path: Path, *rows: tuple[str, str, str, str]) -> Path:
    return write_cells(path, [["kind", "item", "in_file", "means"], *map(list, rows)])


def lines_of(done: ImportResult) -> str:
    text = "\n".join(summary_lines(done))
    counts = done.counts
    assert counts["read"] == counts["used"] + counts["quarantined"]
    assert f"{counts['read']:,} rows = {counts['used']:,} used" in text
    return text


def numeric(tmp_path: Path, name: str = "a.csv", item: str = "", values: tuple[str, ...] = ()) -> Path:
    """Qualtrics' numeric export of 24 people, with other numbers in one item."""
    file = qualtrics(tmp_path / name, Asked(), people(Asked()), numeric=True)
    rows = cells(file)
    if item:
        put(rows, item, list(values), 3)
    return write_cells(file, rows)


def by_name(tmp_path: Path, data: Path, units: str, names: list[str]) -> Path:
    """A Google form whose units are named as given, one person after the other."""
    (data / "units.csv").write_text(units, encoding="utf-8")
    asked = Asked()
    file = google_forms(tmp_path / "a.csv", asked, people(asked))
    rows = cells(file)
    put(rows, asked.question("unit_id"), names, 1)
    return write_cells(file, rows)


# Two things that read alike ---------------------------------------------------------------------------------


def test_a_number_with_a_minus_is_no_level_but_is_asked_and_can_be_no_answer(tmp_path, data, bring):
    file = numeric(tmp_path, item="team_goal", values=("-1", "-2", "2", "3"))
    said, open_ = asked_of(bring, file)
    assert {"-1", "-2"} <= set(open_["in_file"]) and set(open_["item"]) == {"team_goal"}
    assert 'answer of team_goal "-1"' in said and 'answer of team_goal "-2"' in said
    open_.loc[open_["in_file"].isin(["-1", "-2"]), "means"] = "no answer"
    open_.to_csv(tmp_path / "m.csv", index=False)
    done = bring(file, map=tmp_path / "m.csv")
    assert done.counts["used"] == 24 and stored(data)["team_goal"][:4].tolist() == ["", "", "2", "3"]


def test_99_and_minus_99_are_two_things(tmp_path, data, bring):
    file = numeric(tmp_path, item="team_goal", values=("99", "-99", "3.0", "-99"))
    save_map(tmp_path / "m.csv", ("answer", "", "99", "don't know"), ("answer", "team_goal", "-99", "no answer"))
    bring(file, map=tmp_path / "m.csv")
    assert stored(data)["team_goal"][:4].tolist() == ["don't know", "", "3", ""]


def test_units_that_differ_by_a_sign_keep_their_people(tmp_path, data, bring):
    names = ["C++ team", "C# team", "C team"] * 8
    bring(by_name(tmp_path, data, "unit_id,name\ncpp,C++ team\ncsharp,C# team\nc,C team\n", names))
    assert stored(data)["unit_id"].value_counts().to_dict() == {"cpp": 8, "csharp": 8, "c": 8}


SAME_NAME = "unit_id,name,parent_id\nde,Germany,\nat,Austria,\nde-claims,Claims,de\nat-claims,Claims,at\nde-it,IT,de\n"


def test_a_name_that_two_units_bear_is_asked_never_guessed(tmp_path, data, bring):
    file = by_name(tmp_path, data, SAME_NAME, ["Claims"] * 12 + ["IT"] * 12)
    said, open_ = asked_of(bring, file)
    assert open_[["kind", "in_file", "means"]].to_numpy().tolist() == [["unit", "Claims", ""]]
    assert "de-claims or at-claims" in said and not (data / "responses").exists()
    done = bring(file, map=file.with_name("a.map.csv"))
    assert done.counts["used"] == 12 and done.rows.reasons() == {"unit_id cannot be read": 12}


def test_an_id_that_names_two_units_is_refused(tmp_path, data, bring):
    file = by_name(tmp_path, data, "unit_id,name\na,North\na,South\n", ["North"] * 24)
    with pytest.raises(InputError, match='the id "a" names two units'):
        bring(file)


def test_a_heading_that_looks_like_the_number_of_another_keeps_a_label_of_its_own(tmp_path, data, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    rows[0] += ["Where", "Where", "Where (2)"]
    done = bring(write_cells(tmp_path / "a.csv", [row + ["x"] * 3 * (place > 0) for place, row in enumerate(rows)]))
    labels = [heading.label for heading in done.matched.export.headings]
    assert labels[-3:] == ["Where", "Where (2)", "Where (2) (2)"] and len(set(labels)) == len(labels)


def test_choices_of_units_of_one_name_are_told_apart_by_the_unit_above_and_come_back(tmp_path, data, bring, capsys):
    file = by_name(tmp_path, data, SAME_NAME, ["Claims (Germany)", "Claims (Austria)"] * 12)
    for form in ("paste", "limesurvey-tsv", "qualtrics-txt", "html", "csv"):
        with pytest.raises(SystemExit) as ended:
            commands.main(["questionnaire", str(data), "--format", form, "--out", str(tmp_path / "q")])
        assert ended.value.code == 0
        text = (tmp_path / "q").read_text(encoding="utf-8-sig")
        if form != "csv":  # which leaves units to units.csv
            assert "Claims (Germany)" in text and "Claims (Austria)" in text and "IT (" not in text
    bring(file)
    assert stored(data)["unit_id"].value_counts().to_dict() == {"de-claims": 12, "at-claims": 12}


def test_a_number_that_is_both_the_id_and_the_place_of_a_unit_is_asked(tmp_path, data, bring):
    units = "unit_id,name\n3,North\n1,South\n2,West\n"
    said, open_ = asked_of(bring, by_name(tmp_path, data, units, ["1", "2", "3"] * 8))
    assert sorted(open_["in_file"]) == ["1", "2", "3"] and set(open_["means"]) == {""}
    assert "could be 3 or 2" in said  # id 3; and the third of the list is unit 2


def test_numbers_of_units_are_ids_when_one_of_them_can_be_no_place(tmp_path, data, bring):
    bring(by_name(tmp_path, data, "unit_id,name\n3,North\n1,South\n70,West\n", ["1", "3", "70"] * 8))
    assert stored(data)["unit_id"].value_counts().to_dict() == {"1": 8, "3": 8, "70": 8}


def test_the_same_number_as_id_and_place_is_read(tmp_path, data, bring):
    bring(by_name(tmp_path, data, "unit_id,name\n1,North\n2,South\n", ["1", "2.0"] * 12))
    assert stored(data)["unit_id"].value_counts().to_dict() == {"1": 12, "2": 12}


@pytest.mark.parametrize("second", ["ops,claims", "ops,CLAIMS"])
def test_an_id_that_is_another_units_name_is_asked(tmp_path, data, bring, second):
    name = second.split(",")[1]
    said, open_ = asked_of(bring, by_name(tmp_path, data, f"unit_id,name\nclaims,Motor\n{second}\n", [name] * 24))
    assert open_["means"].tolist() == [""] and "could be ops or claims" in said


def test_a_short_code_is_never_what_another_unit_is_called():
    units = {"claims-north": "North", "x": "Claim", "3": "Third", "1": "First"}
    choices = build_questionnaire(read_instrument(), units=units).opening[0].choices
    codes = {choice.value: choice.code for choice in choices}
    assert not {code.casefold() for code in codes.values()} & {"claim", "north", "x", "3", "1", "third", "first"}
    known = build_vocabulary(read_instrument(), units).answers["unit_id"]
    assert {unit: known.meaning(code) for unit, code in codes.items()} == {unit: unit for unit in units}


def test_no_word_of_the_shipped_languages_means_two_things():
    words = build_vocabulary(read_instrument(), {})
    assert len(words.questions) == 25
    for name, known in words.answers.items():
        twice = {text for text in known.by_loose_form if len(known.meanings(text)) > 1}
        assert twice == set(), name
    assert {text for text in words.wordings.by_folded_form if len(words.wordings.meanings(text)) != 1} == set()


def own_instrument(data: Path, old: str, new: str) -> None:
    """An instrument of one's own in which some words of items.csv are others; no translations."""
    shutil.copytree(ROOT / "data" / "instrument", data / "instrument")
    for path in (data / "instrument").glob("*.*.*"):
        path.unlink()
    items = data / "instrument" / "items.csv"
    text = items.read_text(encoding="utf-8")
    assert old in text
    items.write_text(text.replace(old, new), encoding="utf-8")


def test_two_items_of_one_wording_are_asked_not_read_into_the_last(tmp_path, data, bring):
    asked = Asked()
    first, second = asked.question("team_goal"), asked.question("purpose_told")
    own_instrument(data, first, second)
    file = google_forms(tmp_path / "a.csv", asked, people(asked))
    file.write_text(file.read_text().replace(first, second))
    _, open_ = asked_of(bring, file)
    assert open_["kind"].tolist() == ["column", "column"]


def test_questions_whose_ids_read_alike_in_limesurvey_are_refused():
    asked = build_questionnaire(read_instrument())
    alike = replace(asked, items=(*asked.items, replace(asked.items[0], id="teamgoal")))
    with pytest.raises(InstrumentError, match="team_goal, teamgoal"):
        render("limesurvey-tsv", [alike])


# A question in several columns ------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["{}", "{}2", "{} (2)", "{}.1"])
def test_a_question_asked_twice_takes_the_column_that_is_filled(tmp_path, data, bring, again):
    asked = Asked()
    people_ = people(asked)
    rows = cells(google_forms(tmp_path / "a.csv", asked, people_))
    place = column(rows, asked.question("team_goal"))
    rows[0].append(again.format(rows[0][place]))
    for number, row in enumerate(rows[1:]):
        row.append(row[place] if number % 2 else "")
        row[place] = "" if number % 2 else row[place]
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert stored(data)["team_goal"].tolist() == people_["team_goal"].tolist()
    assert "Asked in several columns" in lines_of(done)


def test_two_columns_of_a_question_that_differ_are_set_aside_and_those_that_agree_are_not(tmp_path, data, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    place = column(rows, asked.question("team_goal"))
    levels = list(asked.choices("team_goal").values())
    rows[0].append(rows[0][place])
    for number, row in enumerate(rows[1:]):
        row[place] = levels[0]
        row.append({0: levels[1], 1: levels[0], 2: "1"}.get(number, ""))
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert done.rows.reasons() == {"several answers": 1} and done.counts["used"] == 23
    assert aside(data)[["row", "column", "value"]].to_numpy().tolist() == [["2", "team_goal", "1 | 2"]]
    assert set(stored(data)["team_goal"]) == {"1"}


def choice_columns(
    tmp_path: Path, ticks: dict[int, tuple[int, ...]], *, heads: int, tick: str = ""
) -> tuple[Path, str]:
    """Qualtrics' export of check boxes: a column for each choice of team_goal; who ticked which by person."""
    asked = Asked()
    file = qualtrics(tmp_path / "a.csv", asked, people(asked))
    rows = cells(file)
    place = column(rows, "team_goal")
    choices = list(asked.choices("team_goal").values())
    out = []
    for number, row in enumerate(rows):
        person = number - 3
        spread = {
            0: [f"team_goal_{k}" for k in range(1, 8)],
            1: [f"{row[place]} - {choice}" for choice in choices],
            2: [f'{{"ImportId":"QID9_{k}"}}' for k in range(1, 8)],
        }.get(number) or [
            (tick or choice) if k in ticks.get(person, (person % 7 + 1,)) else "" for k, choice in enumerate(choices, 1)
        ]
        if number == 0 or number >= 3 or number < heads:
            out.append([*row[:place], *spread, *row[place + 1 :]])
    return write_cells(file, out), choices[0]


@pytest.mark.parametrize(("heads", "tick"), [(3, ""), (3, "1"), (1, "1"), (1, ""), (3, "Yes")])
def test_a_column_for_each_choice_is_read_as_the_choice_that_is_ticked(tmp_path, data, bring, heads, tick):
    file, _ = choice_columns(tmp_path, {}, heads=heads, tick=tick)
    done = bring(file)
    by_place = ["1", "2", "3", "4", "5", "does not apply", "don't know"]
    assert stored(data)["team_goal"].tolist() == [by_place[person % 7] for person in range(24)]
    assert "A column for each choice" in lines_of(done)


def test_several_ticks_are_set_aside_as_several_answers(tmp_path, data, bring):
    file, _ = choice_columns(tmp_path, {5: (1, 3, 4)}, heads=3)
    done = bring(file)
    assert done.rows.reasons() == {"several answers": 1} and len(stored(data)) == 23
    assert aside(data)["value"].tolist() == ["1 | 3 | 4"]


def test_limesurveys_check_boxes_are_read_by_what_is_ticked(tmp_path, data, bring):
    asked = Asked()
    people_ = people(asked)
    rows = cells(limesurvey(tmp_path / "a.csv", asked, people_))
    place = column(rows, "teamgoal")
    out = [[*rows[0][:place], *(f"teamgoal[SQ00{k}]" for k in range(1, 8)), *rows[0][place + 1 :]]]
    for person, row in enumerate(rows[1:]):
        ticks = ["Y" if k == person % 7 else "N" for k in range(7)]
        out.append([*row[:place], *ticks, *row[place + 1 :]])
    bring(write_cells(tmp_path / "a.csv", out))
    by_place = ["1", "2", "3", "4", "5", "does not apply", "don't know"]
    assert stored(data)["team_goal"].tolist() == [by_place[person % 7] for person in range(24)]


@pytest.mark.parametrize("between", [";", ", ", "; ", "\n", "|"])
def test_several_choices_in_one_cell_are_set_aside_though_choices_hold_commas(tmp_path, data, bring, between):
    asked = Asked()
    levels = list(asked.choices("purpose_told").values())
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    assert "," in levels[4]
    put(rows, asked.question("purpose_told"), [between.join((levels[4], levels[0])), levels[4], levels[0] + between], 1)
    rows[3][column(rows, asked.question("purpose_told"))] = between.join((levels[0], levels[0]))
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert done.rows.reasons() == {"several answers": 1}
    assert stored(data)["purpose_told"][:2].tolist() == ["5", "1"]


def test_several_numbers_in_one_cell_are_several_answers(tmp_path, data, bring):
    done = bring(numeric(tmp_path, item="team_goal", values=("1,3,4", "1")))
    assert done.rows.reasons() == {"several answers": 1} and stored(data)["team_goal"][0] == "1"


def test_two_columns_that_the_map_calls_the_unit_give_the_one_that_is_filled(tmp_path, data, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    place = column(rows, asked.question("unit_id"))
    rows[0][place] = "Team A to M"
    rows[0].append("Team N to Z")
    for number, row in enumerate(rows[1:]):
        row.append("Contact centre" if number % 2 else "")
        row[place] = "" if number % 2 else "Motor claims"
    rows[5][-1] = "Contact centre"  # both, and not the same
    file = write_cells(tmp_path / "a.csv", rows)
    save_map(tmp_path / "m.csv", ("column", "", "Team A to M", "unit_id"), ("column", "", "Team N to Z", "unit_id"))
    done = bring(file, map=tmp_path / "m.csv")
    assert done.rows.reasons() == {"several answers": 1}
    assert stored(data)["unit_id"].value_counts().to_dict() == {"contact-centre": 12, "motor-claims": 11}


def test_no_question_is_suggested_for_two_columns(tmp_path, data, bring):
    asked = Asked()
    file = google_forms(tmp_path / "a.csv", asked, people(asked))
    rows = cells(file)
    place = column(rows, asked.question("unit_id"))
    rows[0][place] = "Which unit do you work in now?"
    rows[0].append("Which unit did you work in before?")
    for row in rows[1:]:
        row.append("Motor claims")
    _, open_ = asked_of(bring, write_cells(file, rows))
    assert open_["means"].tolist() == ["unit_id", "ignore"]


# Columns of the tool's own ----------------------------------------------------------------------------------

FRENCH = ("ID de la réponse", "Date de soumission", "Dernière page", "Langue de départ", "Tête de série",
          "Date de lancement", "Date de la dernière action", "Adresse IP")  # fmt: skip
UNHEARD_OF = ("Num", "Sent off", "Page", "Tongue", "Grain", "Begun", "Touched", "Net")


def unsent(tmp_path: Path, own: tuple[str, ...]) -> Path:
    """LimeSurvey in full text with its own columns in some language: six of 24 were never sent."""
    asked = Asked()
    rows = people(asked).assign(finished=[False] * 6 + [True] * 18)
    file = limesurvey(tmp_path / "a.csv", asked, rows, headings="text", codes=False)
    table = cells(file)
    table[0][: len(own)] = own
    return write_cells(file, table)


def test_what_was_never_sent_is_set_aside_in_french_too(tmp_path, bring):
    done = bring(unsent(tmp_path, FRENCH))
    assert done.matched.export.source == "limesurvey"
    assert done.rows.reasons() == {"not finished": 6} and done.counts["used"] == 18


def test_columns_of_an_unknown_language_are_asked_before_unsent_answers_could_count(tmp_path, data, bring):
    file = unsent(tmp_path, UNHEARD_OF)
    said, open_ = asked_of(bring, file, source="limesurvey", wave="2026-Q4")
    means = dict(zip(open_["in_file"], open_["means"], strict=True))
    assert means["Sent off"] == "submitted" and means["Tongue"] == "ignore" and "Nothing says who finished" in said
    done = bring(file, source="limesurvey", map=file.with_name("a.map.csv"))
    assert done.rows.reasons() == {"not finished": 6} and done.matched.wave == "2026-Q4"


def test_a_file_that_cannot_tell_who_finished_says_so(tmp_path, bring):
    file = unsent(tmp_path, UNHEARD_OF)
    asked_of(bring, file, source="limesurvey", wave="2026-Q4")
    save_map(tmp_path / "m.csv", *(("column", "", name, "ignore") for name in UNHEARD_OF))
    done = bring(file, source="limesurvey", wave="2026-Q4", map=tmp_path / "m.csv")
    assert "Cannot tell who finished" in lines_of(done) and done.counts["used"] == 24


def test_surveymonkey_marks_nobody_as_unfinished_and_a_line_says_so(tmp_path, bring):
    done = bring(surveymonkey(tmp_path / "a.csv", Asked(), people(Asked())))
    assert "Cannot tell who finished" in lines_of(done) and done.exit_code == 0
    assert "Cannot tell" not in lines_of(bring(google_forms(tmp_path / "b.csv", Asked(), people(Asked())), wave="2026"))


def test_the_map_names_the_date_who_finished_and_the_person(tmp_path, data, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked), stamp="When"))
    rows[0] += ["Done?", "Staff no"]
    for number, row in enumerate(rows[1:]):
        row += ["Nein" if number < 4 else "Ja", f"S{number // 2 if number < 12 else number}"]
    file = write_cells(tmp_path / "a.csv", rows)
    save_map(
        tmp_path / "m.csv", ("column", "", "When", "date"), ("column", "", "Done?", "finished"),
        ("column", "", "Staff no", "person"),
    )  # fmt: skip
    done = bring(file, source="google-forms", map=tmp_path / "m.csv")
    assert done.matched.wave == "2026-Q4"
    assert done.rows.reasons() == {"not finished": 4, "duplicate": 4} and done.counts["used"] == 16


@pytest.mark.parametrize("apart", ["._.", " - ", ": ", "._", "_"])
def test_limesurveys_separator_of_code_and_text_may_be_any(tmp_path, data, bring, apart):
    asked = Asked()
    rows = people(asked).assign(finished=[False] * 2 + [True] * 22)
    table = cells(limesurvey(tmp_path / "a.csv", asked, rows, headings="both"))
    table[0] = [head.replace(". ", apart, 1) for head in table[0]]
    if apart == "._":
        table[0] = [head.replace(" ", "_") for head in table[0]]
    done = bring(write_cells(tmp_path / "a.csv", table))
    assert done.matched.export.source == "limesurvey" and done.rows.reasons() == {"not finished": 2}
    pd.testing.assert_frame_equal(stored(data)[asked.columns], rows[asked.columns][2:].reset_index(drop=True))


def test_answers_that_limesurvey_sent_without_a_date_are_used_once_their_wave_is_given(tmp_path, data, bring):
    asked = Asked()
    rows = people(asked).assign(finished=[False] * 3 + [True] * 21)
    table = cells(limesurvey(tmp_path / "a.csv", asked, rows))
    sent, started, last = (column(table, name) for name in ("submitdate", "startdate", "datestamp"))
    for row in table[1:]:
        row[sent] = row[sent] and "1980-01-01 00:00:00"
        row[started] = row[last] = "1980-01-01 00:00:00"
    file = write_cells(tmp_path / "a.csv", table)
    with pytest.raises(InputError, match=r"recorded no dates.*--wave"):
        bring(file)
    assert bring(file, wave="2026-Q3").rows.reasons() == {"not finished": 3}
    assert set(stored(data)["wave"]) == {"2026-Q3"}


def test_1980_beside_real_dates_is_no_date_of_sending(tmp_path, bring):
    table = cells(limesurvey(tmp_path / "a.csv", Asked(), people(Asked())))
    put(table, "submitdate", ["1980-01-01 00:00:00"] * 4, 1)
    assert bring(write_cells(tmp_path / "a.csv", table)).rows.reasons() == {"not finished": 4}


def test_the_last_action_dates_answers_whose_sending_has_no_date(tmp_path, bring):
    asked = Asked()
    table = cells(limesurvey(tmp_path / "a.csv", asked, people(asked)))
    for row in table[1:]:
        row[column(table, "submitdate")] = "1980-01-01 00:00:00"
    assert bring(write_cells(tmp_path / "a.csv", table)).matched.wave == "2026-Q4"


def test_one_answer_dated_years_after_all_others_does_not_move_their_wave(tmp_path, bring):
    rows = cells(google_forms(tmp_path / "a.csv", Asked(), people(Asked())))
    rows[5][0] = "2062/10/12 09:00:00 AM GMT+2"
    with pytest.raises(InputError, match=r"2062-10-12, more than a year after all others.*--wave"):
        bring(write_cells(tmp_path / "a.csv", rows))


def test_qualtrics_dates_answers_by_their_end_where_nothing_else_does(tmp_path, bring):
    rows = cells(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    gone = column(rows, "RecordedDate")
    file = write_cells(tmp_path / "a.csv", [row[:gone] + row[gone + 1 :] for row in rows])
    assert bring(file).matched.wave == "2026-Q4"


@pytest.mark.parametrize("quote", ["{{'ImportId': '{}'}}", '{{ "ImportId" : "{}" }}', '"{{""ImportId"":""{}""}}"'])
def test_qualtrics_third_heading_row_is_known_however_it_was_quoted_since(tmp_path, bring, quote):
    rows = cells(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    rows[2] = [quote.format(re.search(r'ImportId":"(\w+)', cell)[1]) for cell in rows[2]]
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert done.counts == {"read": 24, "used": 24, "new": 24, "quarantined": 0}


def test_character_entities_in_headings_and_cells_are_read(tmp_path, data, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    entities = str.maketrans({"'": "&#039;", "“": "&ldquo;", "”": "&rdquo;"})
    rows = [[cell.translate(entities) for cell in row] for row in rows]
    assert any("&#039;" in cell for row in rows for cell in row)
    bring(write_cells(tmp_path / "a.csv", rows))
    pd.testing.assert_frame_equal(stored(data)[asked.items], people(asked)[asked.items])


def test_qualtrics_old_headings_v1_to_v10_are_its_own_columns(tmp_path, data, bring):
    asked = Asked()
    people_ = people(asked)
    codes = [f"V{number}" for number in range(1, 11)]
    names = ["ResponseID", "ResponseSet", "Name", "ExternalDataReference", "Email", "IPAddress", "Status", "StartDate",
             "EndDate", "Finished"]  # fmt: skip
    rows = [[*codes, *asked.columns], [*names, *(asked.question(name) for name in asked.columns)]]
    for person, row in enumerate(people_.to_dict("records")):
        own = [f"R_{person}", "Default", "Jane Doe", "", f"p{person}@example.org", "203.0.113.7", "0",
               "2026-09-01 10:00:00", "2026-09-01 10:09:00", "0" if person < 5 else "1"]  # fmt: skip
        rows.append([*own, *(asked.said(name, row[name]) for name in asked.columns)])
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert (done.matched.export.source, done.matched.wave) == ("qualtrics", "2026-Q3")
    assert done.rows.reasons() == {"not finished": 5} and done.counts["read"] == 24
    assert "Jane" not in stored(data).to_csv() and "example.org" not in stored(data).to_csv()


def test_columns_that_are_merely_called_v1_v2_are_no_export_of_qualtrics(tmp_path, bring):
    file = write_cells(tmp_path / "a.csv", [["V1", "V2"], ["1", "2"], ["3", "4"]])
    with pytest.raises(InputError, match="no survey tool recognised"):
        bring(file)


STAMPS = ("Timestamp", "Zeitstempel", "Marca temporal", "Horodateur", "Informazioni cronologiche",
          "Carimbo de data/hora", "Tijdstempel", "Sygnatura czasowa")  # fmt: skip


@pytest.mark.parametrize("stamp", STAMPS)
def test_google_forms_are_known_by_their_first_column_in_many_languages(tmp_path, bring, stamp):
    done = bring(google_forms(tmp_path / "a.csv", Asked(), people(Asked()), stamp=stamp))
    assert (done.matched.export.source, done.matched.wave, done.counts["used"]) == ("google-forms", "2026-Q4", 24)


@pytest.mark.parametrize(
    "own",
    [
        ("ID", "Heure de début", "Heure de fin", "Adresse de messagerie", "Nom", "Heure de la dernière modification"),
        ("ID", "Begintijd", "Tijd van voltooien", "E-mail", "Naam", "Tijd van laatste wijziging"),
    ],
)
def test_microsoft_forms_heads_its_own_columns_in_other_languages_too(tmp_path, bring, own):
    done = bring(microsoft_forms(tmp_path / "a.xlsx", Asked(), people(Asked()), own=own))
    assert done.matched.export.source == "microsoft-forms" and done.counts["used"] == 24


# Numbers that are not in the list ---------------------------------------------------------------------------


def test_numbers_beyond_the_list_are_asked_with_every_number_of_the_question(tmp_path, data, bring):
    file = numeric(tmp_path, item="team_goal", values=("8", "9", "1", "2", "3", "4", "5", "6", "7") * 3)
    said, open_ = asked_of(bring, file)
    assert sorted(open_.loc[open_["item"] == "team_goal", "in_file"]) == [str(number) for number in range(1, 10)]
    assert all(f'answer of team_goal "{number}"' in said for number in range(1, 10))
    assert not (data / "responses").exists() and not (data / "quarantine").exists()
    means = dict(zip(open_["in_file"], open_["means"], strict=True))
    assert means["1"] == "1" and means["8"] == means["9"] == ""


def test_a_scale_that_counts_from_nought_is_asked_in_every_question_and_suggested_one_higher(tmp_path, data, bring):
    asked = Asked()
    file = qualtrics(tmp_path / "a.csv", asked, people(asked), numeric=True)
    rows = cells(file)
    for name in asked.items:
        place = column(rows, name)
        for row in rows[3:]:
            row[place] = row[place] and str(int(row[place]) - 1)
            if name == "learning_help" and row[place] == "0":
                row[place] = "1"  # nobody says the first answer there
    _, open_ = asked_of(bring, write_cells(file, rows))
    by_number = dict(zip(open_["in_file"], open_["means"], strict=True))
    assert by_number == {"0": "1", "1": "2", "2": "3", "3": "4", "4": "5", "5": "does not apply", "6": "don't know"}
    done = bring(file, map=file.with_name("a.map.csv"))
    expected = people(asked)
    expected["learning_help"] = expected["learning_help"].replace("1", "2")
    pd.testing.assert_frame_equal(stored(data)[asked.items], expected[asked.items])
    assert done.counts["used"] == 24


def test_a_single_no_answer_code_needs_one_row_of_the_map(tmp_path, data, bring):
    file = numeric(tmp_path, item="team_goal", values=("-99", "1"))
    save_map(tmp_path / "m.csv", ("answer", "", "-99", "no answer"))
    done = bring(file, map=tmp_path / "m.csv")
    assert stored(data)["team_goal"][:2].tolist() == ["", "1"] and done.exit_code == 0


def test_roles_beyond_the_list_are_asked_too(tmp_path, bring):
    _, open_ = asked_of(bring, numeric(tmp_path, item="role", values=("5", "1")))
    assert set(open_["kind"]) == {"role"} and "5" in set(open_["in_file"])


def test_whole_numbers_with_a_decimal_are_levels_and_thousands_are_asked(tmp_path, data, bring):
    bring(numeric(tmp_path, item="team_goal", values=("3.0", "2,0", "6.00")))
    assert stored(data)["team_goal"][:3].tolist() == ["3", "2", "does not apply"]
    _, open_ = asked_of(bring, numeric(tmp_path, "b.csv", item="team_goal", values=("1.000", "2.5")))
    assert sorted(open_["in_file"]) == ["1.000", "2.5"]


def test_numbers_that_nothing_proves_are_warned_of_and_our_own_codes_prove_them(tmp_path, bring):
    warned = lines_of(bring(numeric(tmp_path)))
    assert "Warning: 27 questions are answered by number" in warned
    asked = Asked()
    questions = build_questionnaire(read_instrument()).questions
    codes = {question.id: {choice.value: choice.code for choice in question.choices} for question in questions}
    rows = cells(limesurvey(tmp_path / "b.csv", asked, people(asked).assign(comment="x")))
    table = [rows[0]]
    for row, person in zip(rows[1:], people(asked).to_dict("records"), strict=True):
        named = {name.replace("_", ""): codes[name].get(person[name], "") for name in (*asked.items, "role", "ai_use")}
        table.append([named.get(head, cell) for head, cell in zip(rows[0], row, strict=True)])
    assert "answered by number" not in lines_of(bring(write_cells(tmp_path / "b.csv", table), wave="2026-Q3"))


def test_an_import_that_uses_no_row_does_not_end_well(tmp_path, data, capsys):
    asked = Asked()
    rows = people(asked).assign(finished=False)
    codes = {}
    for name, people_ in (("none", rows), ("some", people(asked).assign(finished=[False] + [True] * 23))):
        file = qualtrics(tmp_path / f"{name}.csv", asked, people_, first=0 if name == "none" else 500)
        with pytest.raises(SystemExit) as ended:
            commands.main(["import", str(file), "--to", str(data), "--key", str(tmp_path / "key")])
        codes[name] = ended.value.code
    said = capsys.readouterr().out
    assert codes == {"none": 1, "some": 1} and "No row can be used" in said
    fine = qualtrics(tmp_path / "fine.csv", asked, people(asked, start=3), first=900)
    with pytest.raises(SystemExit) as ended:
        commands.main(["import", str(fine), "--to", str(data), "--key", str(tmp_path / "key"), "--wave", "2027-Q1"])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        commands.main(["import", str(numeric(tmp_path, "z.csv", "team_goal", ("8",))), "--to", str(data), "--key",
                  str(tmp_path / "key")])  # fmt: skip
    assert ended.value.code == 2


# Who answered -----------------------------------------------------------------------------------------------


def with_person(tmp_path: Path, name: str, codes: list[str]) -> Path:
    rows = cells(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    put(rows, name, codes, 3)
    return write_cells(tmp_path / "a.csv", rows)


@pytest.mark.parametrize(
    ("name", "codes", "rows"),
    [
        ("RecipientEmail", ["team@example.org"] * 23 + ["me@example.org"], 23),
        ("ExternalReference", ["Sales", "Claims"] * 12, 12),
        ("ExternalReference", ["A", "B", "C", "D", "E", "F", "G", "H"] * 3, 3),
    ],
)
def test_a_mailbox_or_department_is_no_person_and_a_line_says_so(tmp_path, data, bring, name, codes, rows):
    done = bring(with_person(tmp_path, name, codes))
    assert done.counts == {"read": 24, "used": 24, "new": 24, "quarantined": 0}
    said = lines_of(done)
    assert name in said and f"in {rows} rows" in said and "example.org" not in said
    assert stored(data)["respondent_id"].is_unique


def test_a_person_who_answers_twice_still_counts_once(tmp_path, bring):
    mails = [f"p{number}@example.org" for number in range(24)]
    done = bring(with_person(tmp_path, "RecipientEmail", [*mails[:22], mails[0], mails[1]]))
    assert done.rows.reasons() == {"duplicate": 2} and done.counts["used"] == 22


def test_the_map_can_say_that_a_column_is_no_person(tmp_path, bring):
    file = with_person(tmp_path, "RecipientEmail", [f"p{number % 22}@example.org" for number in range(24)])
    save_map(tmp_path / "m.csv", ("column", "", "RecipientEmail", "ignore"))
    assert bring(file, map=tmp_path / "m.csv").counts["used"] == 24


def test_the_map_can_say_which_column_is_the_person_and_is_taken_at_its_word(tmp_path, bring):
    rows = cells(with_person(tmp_path, "RecipientEmail", ["team@example.org"] * 24))
    put(rows, "ExternalReference", [f"S{number // 4}" for number in range(24)], 3)
    file = write_cells(tmp_path / "a.csv", rows)
    save_map(tmp_path / "m.csv", ("column", "", "ExternalReference", "person"))
    done = bring(file, map=tmp_path / "m.csv")
    assert done.counts["used"] == 6 and done.rows.reasons() == {"duplicate": 18}
    assert "each code is one person" in lines_of(done)


def test_two_people_who_answer_alike_both_count_where_no_time_of_day_tells_of_one_sheet_sent_twice(tmp_path, bring):
    rows = cells(google_forms(tmp_path / "a.csv", Asked(), people(Asked())))
    day = [[row[0][:10], *row[1:]] for row in rows[1:]]
    done = bring(write_cells(tmp_path / "a.csv", [rows[0], *day, day[0], day[0]]))
    assert done.counts == {"read": 26, "used": 26, "new": 26, "quarantined": 0}
    again = bring(write_cells(tmp_path / "b.csv", [rows[0], *day, day[0], day[0], rows[2]]))
    assert again.counts["new"] == 1 and again.already_present == 26


def test_a_sheet_with_its_time_of_day_that_stands_there_twice_was_sent_twice(tmp_path, bring):
    rows = cells(google_forms(tmp_path / "a.csv", Asked(), people(Asked())))
    done = bring(write_cells(tmp_path / "a.csv", [*rows, rows[1]]))
    assert done.rows.reasons() == {"duplicate": 1} and done.counts["used"] == 24


def test_a_heading_row_that_stands_again_below_is_set_aside_as_one(tmp_path, data, bring):
    rows = cells(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    done = bring(write_cells(tmp_path / "a.csv", [*rows[:15], *rows[:3], *rows[15:]]))
    assert done.rows.reasons() == {"heading row again": 3} and done.counts["used"] == 24
    assert aside(data)["row"].tolist() == ["16", "17", "18"]


def test_na_is_a_blank_to_r_so_it_is_asked_but_our_code_to_limesurvey(tmp_path, data, bring):
    file = qualtrics(tmp_path / "a.csv", Asked(), people(Asked()))
    rows = cells(file)
    put(rows, "team_goal", ["NA"] * 2, 3)
    _, open_ = asked_of(bring, write_cells(file, rows))
    assert open_[["item", "in_file", "means"]].to_numpy().tolist() == [["team_goal", "NA", "no answer"]]
    table = cells(limesurvey(tmp_path / "b.csv", Asked(), people(Asked())))
    put(table, "teamgoal", ["NA", "DK"], 1)
    bring(write_cells(tmp_path / "b.csv", table))
    assert stored(data)["team_goal"][:2].tolist() == ["does not apply", "don't know"]


# The same answers again -------------------------------------------------------------------------------------


def without_id(tmp_path: Path, name: str, people_: pd.DataFrame) -> Path:
    """Qualtrics' export from which the columns that tell sheets apart were left out."""
    rows = cells(qualtrics(tmp_path / name, Asked(), people_))
    gone = column(rows, "ResponseId")
    return write_cells(tmp_path / name, [row[:gone] + row[gone + 1 :] for row in rows])


def test_the_same_answers_exported_again_without_their_ids_are_not_counted_twice(tmp_path, data, bring):
    bring(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    done = bring(without_id(tmp_path, "b.csv", people(Asked())))
    assert done.counts == {"read": 24, "used": 24, "new": 0, "quarantined": 0} and len(stored(data)) == 24
    assert "24 rows answer like rows of 2026-Q4-qualtrics-" in lines_of(done)


def test_of_a_later_export_without_ids_only_what_is_new_comes_in(tmp_path, data, bring):
    everybody = people(Asked(), 40)
    bring(qualtrics(tmp_path / "a.csv", Asked(), everybody[:24]))
    done = bring(without_id(tmp_path, "b.csv", everybody))
    assert done.counts["new"] == 16 and len(stored(data)) == 40
    again = bring(tmp_path / "b.csv")
    assert again.written_files == () and again.counts == {"read": 40, "used": 40, "new": 0, "quarantined": 0}
    assert len(stored(data)) == 40


def test_a_mark_for_nobody_is_no_person(tmp_path, bring):
    done = bring(with_person(tmp_path, "ExternalReference", ["-", "n/a", "NULL"] * 8))
    assert done.counts["used"] == 24 and "ExternalReference:" not in lines_of(done)


def test_the_same_answers_under_a_new_key_are_not_counted_twice(tmp_path, data):
    for key, name in (("k1", "a.csv"), ("k2", "b.csv")):
        file = qualtrics(tmp_path / name, Asked(), people(Asked()), first=0)
        file.write_text(file.read_text(encoding="utf-8-sig") + ("" if key == "k1" else "\n"), encoding="utf-8")
        done = import_file(ImportRequest(file, data, key=tmp_path / key))
    assert done.counts["new"] == 0 and len(stored(data)) == 24


def test_when_only_some_answers_came_before_it_is_asked_and_the_answer_obeyed(tmp_path, data, bring):
    everybody = people(Asked(), 40)
    bring(qualtrics(tmp_path / "a.csv", Asked(), everybody[:24]))
    file = without_id(tmp_path, "b.csv", everybody[12:])
    said, open_ = asked_of(bring, file)
    part = next((data / "responses").glob("*.csv")).name
    assert open_[["kind", "in_file", "means"]].to_numpy().tolist() == [["part", part, "same"]] and "12 rows" in said
    assert len(stored(data)) == 24
    save_map(tmp_path / "m.csv", ("part", "", part, "other"))
    assert bring(file, map=tmp_path / "m.csv", dry_run=True).counts["new"] == 28
    done = bring(file, map=file.with_name("b.map.csv"))
    assert done.counts["new"] == 16 and len(stored(data)) == 40
    assert bring(file).written_files == () and len(stored(data)) == 40


def test_people_who_say_one_thing_to_everything_are_not_taken_for_each_other(tmp_path, data, bring):
    asked = Asked()
    alike = people(asked).assign(unit_id="motor-claims", role="", ai_use="", **dict.fromkeys(asked.items, "3"))
    bring(qualtrics(tmp_path / "a.csv", asked, alike))
    assert bring(without_id(tmp_path, "b.csv", alike[:20])).counts["new"] == 20
    assert len(stored(data)) == 44


def test_answers_that_another_wave_holds_already_are_warned_of(tmp_path, bring):
    bring(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())), wave="2026-Q3")
    done = bring(without_id(tmp_path, "b.csv", people(Asked())), wave="2026-Q4")
    assert "Warning: 24 rows answer like rows of 2026-Q3-qualtrics-" in lines_of(done)


# Maps, names and words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_map_that_a_german_spreadsheet_saved_is_read_and_added_to_in_its_own_way(tmp_path, data, bring, encoding):
    asked = Asked("de")
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked), stamp="Zeitstempel"))
    put(rows, asked.question("unit_id"), ["Straße", "Öffentlichkeit", "-0,5 Stellen"] * 8, 1)
    file = write_cells(tmp_path / "a.csv", rows)
    map_file = tmp_path / "m.csv"
    said = "kind;item;in_file;means;note\r\nunit;;Straße;motor-claims;von Hand – geprüft\r\nunit;;Öffentlichkeit;;\r\n"
    map_file.write_bytes(said.encode(encoding))
    with pytest.raises(InputError, match=r"-0,5 Stellen"):
        bring(file, map=map_file)
    text = map_file.read_bytes().decode(encoding)
    assert text.startswith(said) and text.count("\n") == 4 and "unit;;'-0,5 Stellen;;" in text
    map_file.write_bytes(text.replace("Stellen;;", "Stellen;contact-centre;").encode(encoding))
    done = bring(file, map=map_file)
    assert done.rows.reasons() == {"unit_id cannot be read": 8} and done.counts["used"] == 16
    assert stored(data)["unit_id"].value_counts().to_dict() == {"motor-claims": 8, "contact-centre": 8}


def test_a_map_somebody_filled_in_is_not_overwritten_by_a_run_without_it(tmp_path, bring):
    file = numeric(tmp_path, item="team_goal", values=("8",))
    _, open_ = asked_of(bring, file)
    open_["means"] = "1"
    open_.to_csv(tmp_path / "a.map.csv", index=False)
    _, again = asked_of(bring, file)
    pd.testing.assert_frame_equal(again, open_)


def test_a_map_that_contradicts_itself_is_refused(tmp_path, bring):
    save_map(tmp_path / "m.csv", ("unit", "", "North", "motor-claims"), ("unit", "", "North", "contact-centre"))
    with pytest.raises(InputError, match=r"rows 2 and 3: \"North\" is said to mean motor-claims and contact-centre"):
        bring(numeric(tmp_path), map=tmp_path / "m.csv")


def test_rows_of_a_map_that_nothing_in_the_file_answers_to_are_named(tmp_path, bring):
    save_map(
        tmp_path / "m.csv", ("unit", "", "Nowhere", "motor-claims"), ("column", "", "Mail", "person"),
        ("answer", "", "8", "no answer"), ("column", "", "RecipientEmail", "ignore"), ("role", "", "1", "frontline"),
    )  # fmt: skip
    said = lines_of(bring(numeric(tmp_path), map=tmp_path / "m.csv"))
    assert 'In the map, but not in the file: unit "Nowhere", column "Mail", answer "8".' in said


def test_decimal_commas_and_curly_apostrophes_of_a_spreadsheet_mean_what_they_meant(tmp_path, data, bring):
    file = numeric(tmp_path, item="team_goal", values=("8", "9", "3"))
    text = "kind;item;in_file;means;note\nanswer;team_goal;8,0;3,0;\nanswer;team_goal;9;don’t know;\n"
    (tmp_path / "m.csv").write_text(text + "answer;team_goal;3;4;\n" + _rest(3), encoding="utf-8")
    bring(file, map=tmp_path / "m.csv")
    assert stored(data)["team_goal"][:3].tolist() == ["3", "don't know", "4"]


def _rest(but: int) -> str:
    values = ["1", "2", "3", "4", "5", "does not apply", "don't know"]
    return "".join(f"answer;team_goal;{k};{means};\n" for k, means in enumerate(values, 1) if k != but)


def test_a_yearly_wave_is_not_confused_with_its_quarters(tmp_path, data, bring):
    bring(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())), wave="2026-Q3")
    done = bring(without_id(tmp_path, "b.csv", people(Asked())), wave="2026")
    assert done.counts["new"] == 24 and "another wave" in lines_of(done)


def test_what_a_notebook_saved_of_one_person_is_no_earlier_import(tmp_path, data, bring):
    bring(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())), wave="2026-Q3")
    (part,) = (data / "responses").iterdir()
    part.rename(part.with_name("motor-claims--2026-q3--w-1.csv"))
    done = bring(without_id(tmp_path, "b.csv", people(Asked())), wave="2026")
    assert done.counts["new"] == 24 and "another wave" not in lines_of(done)


def test_a_map_that_names_no_item_is_refused(tmp_path, bring):
    save_map(tmp_path / "m.csv", ("answer", "team_gaol", "8", "1"))
    with pytest.raises(UsageError, match='"team_gaol" is no item'):
        bring(numeric(tmp_path), map=tmp_path / "m.csv")


def test_every_unknown_word_is_a_row_of_the_map_and_a_line(tmp_path, bring):
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    put(rows, asked.question("unit_id"), [f"Shop {number:02d} of ours" for number in range(24)], 1)
    said, open_ = asked_of(bring, write_cells(tmp_path / "a.csv", rows))
    assert len(open_) == 24 and all(f"Shop {number:02d}" in said for number in range(24))


@pytest.mark.parametrize(
    ("unit", "written_as"),
    [
        ("Claims", "claims "), ("Claims", "CLAIMS"), ("Küche", "Ku\u0308che"), ("Ku\u0308che", "küche"),
        ("Straße", "STRASSE"), ("R&D", "R &amp; D"), ("Legal – North", "Legal - North"), ("Team’s", "Team's"),
    ],
)  # fmt: skip
def test_a_unit_whose_spelling_alone_differs_is_known(tmp_path, data, bring, unit, written_as):
    file = by_name(tmp_path, data, f"unit_id,name\nu,{unit}\nv,Other\n", [written_as, "Other"] * 12)
    bring(file)
    assert stored(data)["unit_id"].value_counts().to_dict() == {"u": 12, "v": 12}


def test_without_a_table_of_units_spellings_of_one_name_are_asked_and_others_stay(tmp_path, data, bring):
    (data / "units.csv").unlink()
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    times = {"Claims": 6, "claims": 2, "Ku\u0308che": 4, "Küche": 4, "NULL": 2, "C++": 3, "C#;": 3}
    put(rows, asked.question("unit_id"), [name for name, people_ in times.items() for _ in range(people_)], 1)
    file = write_cells(tmp_path / "a.csv", rows)
    _, open_ = asked_of(bring, file)
    assert open_[["kind", "in_file", "means"]].to_numpy().tolist() == [["unit", "claims", "Claims"]]
    done = bring(file, map=file.with_name("a.map.csv"))
    assert stored(data)["unit_id"].value_counts().to_dict() == {"Claims": 8, "Küche": 8, "C++": 3, "C#": 3}
    assert done.rows.reasons() == {"unit_id is missing": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Weiß ich nicht", "don't know"), ("weiss ich nicht", "don't know"), ("WEISS ICH NICHT", "don't know"),
        ("No lo sé", "don't know"), ("no lo se", "don't know"), ("I don’t know", "don't know"),
        ("Trifft nicht zu", "does not apply"), ("trifft nicht zu.", "does not apply"), ("No aplica", "does not apply"),
        ("Keine Angabe", ""), ("k. A.", ""), ("NULL", ""), ("nan", ""), ("<NA>", ""), ("-", ""),
        ("Prefer not to say", ""),
    ],
)  # fmt: skip
def test_words_of_every_shipped_language_are_known_whatever_the_instrument_speaks(tmp_path, data, bring, text, value):
    own_instrument(data, "team_goal,problem_definition", "team_goal,problem_definition")
    asked = Asked()
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    put(rows, asked.question("team_goal"), [text] * 24, 1)
    bring(write_cells(tmp_path / "a.csv", rows))
    assert set(stored(data)["team_goal"]) == {value}


def test_roles_of_every_shipped_language_are_known_whatever_the_instrument_speaks(tmp_path, data, bring):
    own_instrument(data, "team_goal,problem_definition", "team_goal,problem_definition")
    asked, german = Asked(), Asked("de")
    rows = cells(google_forms(tmp_path / "a.csv", asked, people(asked)))
    put(rows, asked.question("role"), [german.said("role", role) for role in people(asked)["role"]], 1)
    bring(write_cells(tmp_path / "a.csv", rows))
    assert stored(data)["role"].tolist() == people(asked)["role"].tolist()


def test_a_number_in_front_is_no_part_of_an_answer_but_is_one_of_a_name(tmp_path, data, bring):
    units = "unit_id,name\na,hour desk\nb,24 hour desk\n"
    _, open_ = asked_of(bring, by_name(tmp_path, data, units, ["12 hour desk", "24 hour desk", "2. hour desk"] * 8))
    assert open_["in_file"].tolist() == ["12 hour desk"]


QUOTED = {'unit "a"': 'Unit "A"', "unit,b": "Unit, B", "=1+1": "=cmd", "c{x}": "C {x} <North> & ${y}", "d": "D\tE"}


def test_names_with_quotes_commas_braces_and_tags_go_out_as_they_are_and_come_back():
    rules = read_instrument()
    asked = build_questionnaire(rules, units=QUOTED)
    known = build_vocabulary(rules, QUOTED).answers["unit_id"]
    rows = list(csv.DictReader(io.StringIO(render("limesurvey-tsv", [asked]).decode(), newline=""), delimiter="\t"))
    start = next(place for place, row in enumerate(rows) if row["name"] == "unitid")
    lime = [row["text"] for row in rows[start + 1 : start + 1 + len(QUOTED)]]
    assert lime[0] == 'Unit "A"' and not re.search(r"[{}<>]", "".join(lime))
    text = render("qualtrics-txt", [asked]).decode()
    choices = text.split("[[ID:unit_id]]")[1].split("[[Choices]]\n")[1].split("\n\n")[0].splitlines()
    assert not re.search(r"[<>]|\$\{", "".join(choices))
    for said in (lime, choices):
        assert [known.meaning(text) for text in said] == list(QUOTED)


def test_the_drop_down_of_units_holds_every_id_as_it_is():
    book = load_workbook(io.BytesIO(render("xlsx", [build_questionnaire(read_instrument(), units=QUOTED)])))
    sheet = book[ANSWER_SHEET]
    letter = next(cell.column_letter for cell in sheet[1] if cell.value == "unit_id")
    (rule,) = [rule for rule in sheet.data_validations.dataValidation if str(rule.sqref).startswith(f"{letter}2:")]
    assert rule.formula1 == "lists!$A$1:$A$5"
    assert [(cell.value, cell.data_type) for cell in book["lists"]["A"]] == [(unit, "s") for unit in QUOTED]


def test_a_survey_of_check_boxes_in_surveymonkey_sets_two_ticks_aside(tmp_path, data, bring):
    asked = Asked()
    rows = cells(surveymonkey(tmp_path / "a.csv", asked, people(asked), expanded=True))
    start = rows[0].index(asked.question("team_goal"))
    for place, choice in enumerate(list(asked.choices("team_goal").values())[:2]):
        rows[2][start + place] = choice
    done = bring(write_cells(tmp_path / "a.csv", rows))
    assert done.rows.reasons() == {"several answers": 1}
