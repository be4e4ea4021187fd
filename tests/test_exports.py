"""What survey tools export, imported into a data folder."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, SAMPLE
from export_files import Asked, Written, google_forms, limesurvey, microsoft_forms, people, qualtrics, surveymonkey
from generated import by_turns, examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.collection.survey_import import ImportRequest, ImportResult, import_file
from aiready.collection.survey_import.summary import summary_lines
from aiready.errors import AireadyError, InputError, UsageError
from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument

CLI = (sys.executable, "-c", "from aiready.cli.commands import main; main()")
Maker = Callable[..., Path]
LANGUAGES = ("en", "de", "es")
TOOLS: dict[str, tuple[str, str, Maker]] = {
    "qualtrics, words": ("qualtrics", "a.csv", qualtrics),
    "qualtrics, numbers": ("qualtrics", "a.csv", partial(qualtrics, numeric=True)),
    "qualtrics, tsv": ("qualtrics", "a.tsv", qualtrics),
    "qualtrics, workbook": ("qualtrics", "a.xlsx", partial(qualtrics, numeric=True)),
    "microsoft forms": ("microsoft-forms", "a.xlsx", microsoft_forms),
    "google forms": ("google-forms", "a.csv", google_forms),
    "google forms, grid": ("google-forms", "a.csv", partial(google_forms, grid="Your work")),
    "surveymonkey, condensed": ("surveymonkey", "a.csv", surveymonkey),
    "surveymonkey, numbers": ("surveymonkey", "a.csv", partial(surveymonkey, numeric=True)),
    "surveymonkey, expanded": ("surveymonkey", "a.xlsx", partial(surveymonkey, expanded=True)),
    "surveymonkey, expanded numbers": ("surveymonkey", "a.csv", partial(surveymonkey, expanded=True, numeric=True)),
    "limesurvey, codes": ("limesurvey", "a.csv", limesurvey),
    "limesurvey, in full": ("limesurvey", "a.csv", partial(limesurvey, headings="text", codes=False)),
    "limesurvey, code and text": ("limesurvey", "a.xlsx", partial(limesurvey, headings="both")),
}
UNITS = "unit_id,name,parent_id,headcount\nmotor-claims,Motor claims,,40\ncontact-centre,Contact centre,,60\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "units.csv").write_text(UNITS)
    return folder


@pytest.fixture
def bring(data: Path, tmp_path: Path) -> Callable[..., ImportResult]:
    """Import a file as most people do: without an option but the key's place."""

    def run(file: Path, **options: object) -> ImportResult:
        return import_file(ImportRequest(file, data, key=tmp_path / "own" / "key", **options))

    return run


def stored(data: Path) -> pd.DataFrame:
    parts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted((data / "responses").glob("*.csv"))]
    return pd.concat(parts, ignore_index=True)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder: its bytes and when it was written."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.parametrize(("tool", "language"), by_turns(TOOLS, LANGUAGES))
def test_what_a_tool_exports_comes_back_word_for_word_without_an_option(tool, language, tmp_path, data, bring):
    source, name, make = TOOLS[tool]
    asked = Asked(language)
    rows = people(asked)
    done = bring(make(tmp_path / name, asked, rows))
    assert done.matched.export.source == source
    assert done.counts == {"read": 24, "used": 24, "new": 24, "quarantined": 0}
    back = stored(data)
    assert set(back["wave"]) == {"2026-Q4"}
    pd.testing.assert_frame_equal(back[list(rows)], rows)


@pytest.mark.parametrize(
    ("form", "tool", "language"),
    by_turns([
        ("qualtrics-txt", "qualtrics, words"), ("limesurvey-tsv", "limesurvey, codes"),
        ("limesurvey-tsv", "limesurvey, in full"), ("paste", "microsoft forms"), ("paste", "google forms"),
        ("paste", "surveymonkey, expanded"),
    ], LANGUAGES),
)  # fmt: skip
def test_the_questionnaire_goes_out_to_each_tool_and_its_export_comes_back(form, tool, language, tmp_path, data, bring):
    units = {"motor-claims": "Motor claims", "contact-centre": "Contact centre"}
    asked = Written(form, language, units)
    rows = people(asked)
    _, name, make = TOOLS[tool]
    assert bring(make(tmp_path / name, asked, rows)).counts["used"] == len(rows)
    pd.testing.assert_frame_equal(stored(data)[list(rows)], rows)


def test_names_mails_and_addresses_are_stored_nowhere_and_the_lines_say_so(tmp_path, data, bring):
    asked = Asked()
    rows = people(asked).assign(
        email=lambda r: [f"person{n}@example.org" for n in r.index], finished=[False] * 5 + [True] * 19
    )
    done = bring(qualtrics(tmp_path / "a.csv", asked, rows))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "a.csv")
    for personal in (b"example.org", b"Doe", b"Jane", b"203.0.113.7", b"52.5", b"R_0000"):
        assert personal not in kept, personal
    assert any("RecipientEmail" in line and "dropped" in line for line in summary_lines(done))


def test_incomplete_preview_spam_empty_and_second_answers_are_set_aside_each_with_its_reason(tmp_path, data, bring):
    asked = Asked()
    rows = people(asked).astype(object)
    rows["finished"], rows["status"], rows["email"] = True, "IP Address", ""
    rows.loc[0, "finished"] = False
    rows.loc[1, "status"], rows.loc[2, "status"], rows.loc[3, "status"] = "Survey Preview", "Survey Test", "Spam"
    rows.loc[4, asked.items] = ""
    rows.loc[5:7, "email"] = "One.Person@example.org", "one.person@example.org", ""
    rows.loc[8, "unit_id"] = ""
    done = bring(qualtrics(tmp_path / "a.csv", asked, rows))
    assert done.counts == {"read": 24, "used": 17, "new": 17, "quarantined": 7}
    assert done.rows.reasons() == {
        "preview or test": 2, "not finished": 1, "marked as spam": 1, "no question answered": 1,
        "unit_id is missing": 1, "duplicate": 1,
    }  # fmt: skip
    aside = pd.read_csv(next((data / "quarantine").glob("*.csv")), dtype=str)
    assert dict(zip(aside["row"], aside["rule"], strict=True))["10"] == "duplicate: the same respondent as in row 9"
    assert (data / "quarantine").stat().st_mode & 0o077 == 0


def test_a_limesurvey_answer_that_was_never_sent_is_set_aside(tmp_path, bring):
    asked = Asked()
    rows = people(asked).assign(finished=[False, *[True] * 23])
    assert bring(limesurvey(tmp_path / "a.csv", asked, rows)).rows.reasons() == {"not finished": 1}


def test_the_same_file_twice_changes_nothing(tmp_path, data, bring):
    file = google_forms(tmp_path / "a.csv", Asked(), people(Asked()))
    bring(file)
    before = contents(data)
    again = bring(file)
    assert again.written_files == () and again.counts["new"] == 0 and again.counts["used"] == 24
    assert contents(data) == before
    assert list(summary_lines(again))[-1].startswith("Nothing changed")


def test_a_later_export_of_the_same_survey_adds_what_is_new_and_shows_what_changed(tmp_path, data, bring):
    asked = Asked()
    rows = people(asked)
    bring(qualtrics(tmp_path / "monday.csv", asked, rows[:10]))
    before = contents(data)
    later = rows.copy()
    later.loc[3, "team_goal"] = "1" if rows.loc[3, "team_goal"] != "1" else "2"
    done = bring(qualtrics(tmp_path / "friday.csv", asked, later))
    assert done.counts == {"read": 24, "used": 23, "new": 14, "quarantined": 1} and done.already_present == 9
    assert done.rows.reasons() == {"duplicate": 1}
    assert before.items() <= contents(data).items()
    assert sorted(stored(data)["comment"]) == sorted(rows["comment"])


@pytest.mark.slow
def test_a_wave_is_put_beside_a_single_file_which_stays_as_it_is(tmp_path, data, bring):
    first = pd.DataFrame({"unit_id": ["motor-claims"], "wave": ["2026-Q1"], "team_goal": ["3"]}).to_csv(index=False)
    (data / "responses.csv").write_text(first)
    bring(qualtrics(tmp_path / "a.csv", Asked(), people(Asked())))
    assert not (data / "responses.csv").exists()
    assert (data / "responses" / "responses.csv").read_text() == first
    read = read_data(data, read_instrument())
    assert read.waves == ("2026-Q1", "2026-Q4") and len(read.tables["responses"]) == 25


def test_the_same_file_under_another_wave_is_refused(tmp_path, bring):
    file = qualtrics(tmp_path / "a.csv", Asked(), people(Asked()))
    bring(file, wave="2026-Q3")
    with pytest.raises(UsageError, match=r"imported before as responses/2026-Q3-qualtrics-.*\.csv"):
        bring(file)


def test_nobody_can_be_followed_from_wave_to_wave_nor_found_by_trying_mails(tmp_path, data, bring):
    asked = Asked()
    rows = people(asked).assign(email=[f"p{n}@example.org" for n in range(24)])
    bring(qualtrics(tmp_path / "a.csv", asked, rows), wave="2026-Q3")
    bring(qualtrics(tmp_path / "b.csv", asked, rows, first=100), wave="2026-Q4")
    codes = stored(data)["respondent_id"]
    assert codes.is_unique and codes.str.fullmatch("[0-9a-f]{16}").all()
    mails = [f"p{n}@example.org" for n in range(24)]
    plain = {hashlib.sha256(text.encode()).hexdigest()[:16] for mail in mails for text in (mail, f"person {mail}")}
    assert not plain & set(codes)


def test_a_key_is_made_once_for_its_owner_only_and_never_in_the_data_folder(tmp_path, data, bring):
    file = qualtrics(tmp_path / "a.csv", Asked(), people(Asked()))
    assert bring(file).key_created
    key = tmp_path / "own" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_text()
    assert not bring(file).key_created and key.read_text() == text
    with pytest.raises(UsageError, match="outside the data folder"):
        import_file(ImportRequest(file, data, key=data / "key"))
    key.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        bring(file)
    key.chmod(0o600)
    key.write_text("secret")
    with pytest.raises(UsageError, match="no key of aiready"):
        bring(file)


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path, data, bring):
    file = qualtrics(tmp_path / "a.csv", Asked(), people(Asked()))
    before = contents(tmp_path)
    preview = bring(file, dry_run=True)
    assert contents(tmp_path) == before
    assert preview.counts == bring(file).counts


# What must be asked -----------------------------------------------------------------------------------------


def reworded(tmp_path: Path) -> Path:
    """A Google form whose third question, one unit and one answer were worded by its author."""
    asked = Asked()
    rows = people(asked)
    file = google_forms(tmp_path / "a.csv", asked, rows)
    text = file.read_text()
    text = text.replace(
        asked.question("purpose_told"), "A new colleague asks what this AI tool is for. What can you say?"
    )
    text = text.replace("Motor claims", "Motor claims (North)").replace("Does not apply", "Not applicable to me")
    file.write_text(text)
    return file


def test_what_is_not_known_is_asked_with_suggestions_and_nothing_is_imported(tmp_path, data, bring):
    file = reworded(tmp_path)
    before = contents(data)
    with pytest.raises(InputError) as asked:
        bring(file)
    assert contents(data) == before
    map_file = tmp_path / "a.map.csv"
    written = pd.read_csv(map_file, dtype=str, keep_default_na=False)
    found = {(row.kind, row.item): (row.in_file, row.means) for row in written.itertuples()}
    assert found["column", ""][1] == "purpose_told"
    assert found["unit", ""] == ("Motor claims (North)", "motor-claims")
    assert found["answer", ""] == ("Not applicable to me", "does not apply")
    for said in ("purpose_told?", "motor-claims?", f"--map {map_file}", "Nothing was imported"):
        assert said in str(asked.value)
    done = bring(file, map=map_file)
    assert done.counts["used"] == 24 and done.matched.columns.how["purpose_told"] == "map"
    assert set(stored(data)["unit_id"]) == {"motor-claims", "contact-centre"}


def test_a_word_left_blank_in_the_map_is_quarantined_and_a_column_is_asked_again(tmp_path, data, bring):
    file, map_file = reworded(tmp_path), tmp_path / "a.map.csv"
    with pytest.raises(InputError):
        bring(file)
    written = pd.read_csv(map_file, dtype=str, keep_default_na=False)
    written.loc[written["kind"] == "unit", "means"] = ""
    written.to_csv(map_file, index=False)
    done = bring(file, map=map_file)
    assert done.rows.reasons() == {"unit_id cannot be read": 12} and done.counts["used"] == 12
    written.loc[written["kind"] == "column", "means"] = ""
    written.to_csv(map_file, index=False)
    with pytest.raises(InputError, match="purpose_told"):
        bring(file, map=map_file)
    kept = pd.read_csv(map_file, dtype=str, keep_default_na=False)
    assert "does not apply" in set(kept["means"])


def test_a_map_that_names_what_does_not_exist_is_refused_with_every_row(tmp_path, bring):
    map_file = tmp_path / "m.csv"
    map_file.write_text("kind,item,in_file,means\nunit,,North,nowhere\nrole,,Boss,chief\ncolumn,,X,y\n")
    with pytest.raises(UsageError) as refused:
        bring(google_forms(tmp_path / "a.csv", Asked(), people(Asked())), map=map_file)
    assert all(word in str(refused.value) for word in ("nowhere", "chief", '"y"'))


def test_units_by_number_are_never_guessed_but_suggested_in_the_order_of_the_table(tmp_path, bring):
    asked = Asked()
    rows = people(asked)
    asked.units = {"motor-claims": "1", "contact-centre": "2"}
    with pytest.raises(InputError):
        bring(qualtrics(tmp_path / "a.csv", asked, rows, numeric=True))
    written = pd.read_csv(tmp_path / "a.map.csv", dtype=str)
    assert dict(zip(written["in_file"], written["means"], strict=True)) == {"1": "motor-claims", "2": "contact-centre"}


def test_embedded_data_can_say_the_unit_and_a_code_can_stand_for_the_person(tmp_path, data, bring):
    asked = Asked()
    file = surveymonkey(tmp_path / "a.csv", asked, people(asked))
    text = file.read_text().replace(asked.question("unit_id"), "Where?").replace(",,,,,", ",,,,motor-claims,")
    file.write_text(text)
    map_file = tmp_path / "m.csv"
    map_file.write_text("kind,item,in_file,means\ncolumn,,Custom Data 1,unit_id\ncolumn,,Where?,ignore\n")
    bring(file, map=map_file)
    assert set(stored(data)["unit_id"]) == {"motor-claims"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b,c\n1,2,3\n", "no survey tool recognised"),
        (b"", "the file is empty"),
        (b"StartDate,Finished,ResponseId,RecordedDate\nx,y,z,w\n", "no row of answers"),
        (b"StartDate,Finished,ResponseId,RecordedDate\n2026-01-01,1,R_1,2026-01-01\n", "no column"),
        (b"StartDate,Finished,ResponseId,RecordedDate", "no row of answers"),
        (b"StartDate,Finished,ResponseId,RecordedDate\n" + b"x" * 200_000, "the first rows cannot be read"),
        (b"\x00\x01\x02\x03" * 50, "no text file but a binary one"),
    ],
)
def test_a_file_that_is_no_export_says_what_it_lacks(tmp_path, bring, content, said):
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said):
        bring(file)


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 40_000), st.sampled_from([b'"', b",", b"\n", b"\x00", b"9", b";", b"{"]), st.integers(0, 40)
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@given(tool=st.sampled_from(sorted(TOOLS)), damage=DAMAGE, cut=st.floats(0.05, 1))
@examples(40, derandomize=True)
def test_a_damaged_export_is_refused_in_words_or_every_row_of_it_is_accounted_for(tool, damage, cut):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _, name, make = TOOLS[tool]
        asked = Asked()
        file = make(folder / name, asked, people(asked, 6))
        raw = file.read_bytes()
        for at, put_in, gone in damage:
            start = at % len(raw)
            raw = raw[:start] + put_in + raw[start + gone :]
        file.write_bytes(raw[: int(len(raw) * cut) + 1])
        try:
            done = import_file(ImportRequest(file, folder / "data", key=folder / "key"))
        except AireadyError as refused:
            assert 0 < len(str(refused)) < 4_000 and "Traceback" not in str(refused)
            assert not (folder / "data" / "responses").exists()
            return
        kept = len(stored(folder / "data")) if done.counts["used"] else 0
        assert done.counts["read"] == len(done.matched.export.rows) == kept + len(done.rows.left_out)


def test_a_tool_whose_headings_were_changed_can_be_named(tmp_path, bring):
    asked = Asked()
    file = google_forms(tmp_path / "a.csv", asked, people(asked), stamp="When")
    with pytest.raises(InputError, match="--source"):
        bring(file)
    assert bring(file, source="google-forms", wave="2026-Q4").counts["used"] == 24
    with pytest.raises(UsageError, match='Did you mean "google-forms"'):
        bring(file, source="google-form")


@pytest.mark.parametrize(
    ("own", "language"),
    [
        (("ID", "Startzeit", "Fertigstellungszeit", "E-Mail", "Name", "Zeitpunkt der letzten Änderung"), "de"),
        (("Id.", "Hora de inicio", "Hora de finalización", "Correo electrónico", "Nombre", "Idioma"), "es"),
    ],
)
def test_a_form_made_in_another_language_heads_its_own_columns_in_it(tmp_path, bring, own, language):
    asked = Asked(language)
    done = bring(microsoft_forms(tmp_path / "a.xlsx", asked, people(asked), own=own))
    assert done.matched.export.source == "microsoft-forms" and done.counts["used"] == 24


@pytest.mark.parametrize(
    ("first", "last", "wave"),
    [
        ("3/4/2026 10:00", "3/25/2026 9:00", "2026-Q1"),
        ("25/3/2026 10:00", "4/3/2026 9:00", "2026-Q1"),
        ("11.05.2026 10:00", "2.7.2026 9:00", "2026-Q3"),
        ("2026-02-01T10:00:00", "2026-03-01", "2026-Q1"),
        ("46000", "46100.5", "2026-Q1"),
        ("1/12/2026", "1/12/2026", None),
        ("yesterday", "today", None),
    ],
)
def test_the_wave_is_the_quarter_of_the_newest_answer_unless_day_and_month_could_be_either(
    tmp_path, bring, first, last, wave
):
    asked = Asked()
    file = google_forms(tmp_path / "a.csv", asked, people(asked, 2))
    rows = file.read_text().splitlines()
    dated = [f"{day},{row.partition(',')[2]}" for day, row in zip((first, last), rows[1:], strict=True)]
    file.write_text("\n".join([rows[0], *dated]))
    if wave:
        assert bring(file).matched.wave == wave
    else:
        with pytest.raises(InputError, match="--wave"):
            bring(file)


# Waves, size, and the way to a handout -----------------------------------------------------------------------


def answers_of(folder: Path) -> pd.DataFrame:
    """Checked answers without who gave them, in an order of their own."""
    table = read_data(folder, read_instrument()).tables["responses"].drop(columns="respondent_id")
    table["comment"] = table["comment"].str.removeprefix("'")  # what a spreadsheet would run is stored harmless
    return table.sort_values(list(table), ignore_index=True)


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["qualtrics, words", "limesurvey, codes"])
def test_the_newest_wave_of_the_sample_comes_in_on_top_of_the_others(tool, tmp_path, bring, data):
    whole = pd.read_csv(SAMPLE / "responses.csv", dtype=str, keep_default_na=False).replace("n/a", "does not apply")
    whole = whole.drop(index=read_data(SAMPLE, read_instrument()).quarantine["responses"]["row"] - 2)
    newest = whole["wave"].max()
    (data / "units.csv").write_bytes((SAMPLE / "units.csv").read_bytes())
    whole[whole["wave"] < newest].to_csv(data / "responses.csv", index=False)
    before = (data / "responses.csv").read_bytes()
    asked = Asked()
    asked.units = dict(pd.read_csv(SAMPLE / "units.csv")[["unit_id", "name"]].itertuples(index=False))
    _, name, make = TOOLS[tool]
    file = make(tmp_path / name, asked, whole[whole["wave"] == newest].reset_index(drop=True))
    done = bring(file, wave=newest)
    assert done.counts["quarantined"] == done.rows.reasons().get("no question answered", 0)
    assert (data / "responses" / "responses.csv").read_bytes() == before
    reference = tmp_path / "reference"
    reference.mkdir()
    (reference / "units.csv").write_bytes((SAMPLE / "units.csv").read_bytes())
    answered = whole[asked.items].ne("").any(axis=1) | (whole["wave"] < newest)
    whole[answered].to_csv(reference / "responses.csv", index=False)
    pd.testing.assert_frame_equal(answers_of(data), answers_of(reference))


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("form", "tool"),
    [
        ("qualtrics-txt", "qualtrics, words"), ("paste", "microsoft forms"), ("paste", "google forms"),
        ("paste", "surveymonkey, expanded"), ("limesurvey-tsv", "limesurvey, codes"),
    ],
)  # fmt: skip
def test_from_the_questionnaire_through_the_export_of_each_tool_to_a_handout(form, tool, tmp_path, data):
    _, name, make = TOOLS[tool]
    asked = Written(form, "en", {"motor-claims": "Motor claims", "contact-centre": "Contact centre"})
    file = make(tmp_path / name, asked, people(asked, 60))
    for command in (
        ("import", file, "--to", data, "--key", tmp_path / "key"),
        ("report", data, "--out", tmp_path / "out", "--unit", "motor-claims"),
    ):
        done = subprocess.run([*CLI, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "out" / "units" / "motor-claims.html").read_text(encoding="utf-8")
    assert "Motor claims" in page and "30" in page


@pytest.mark.slow
def test_the_worked_example_of_your_data_runs_as_it_stands(tmp_path):
    page = (ROOT / "docs" / "your-data.md").read_text(encoding="utf-8")
    block = page.split("## From a Qualtrics export to handouts")[1].split("```sh\n")[1].split("```")[0]
    commands = [line.split("  #")[0].strip() for line in block.splitlines()]
    assert len(commands) == 10
    units = {"motor-claims": "Motor claims", "contact-centre": "Contact centre"}
    asked = Written("qualtrics-txt", "en", units)
    qualtrics(tmp_path / "survey.csv", asked, people(asked, 40))
    next_wave = qualtrics(tmp_path / "next-survey.csv", asked, people(asked, 40, start=7), first=900)
    next_wave.write_text(
        next_wave.read_text(encoding="utf-8-sig").replace("2026-10-12", "2027-02-03"), encoding="utf-8"
    )
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, does in (
        ("aiready", f'exec {sys.executable} -c "from aiready.cli.commands import main; main()" "$@"'),
        ("xdg-open", "test -s $1"),
    ):
        (bin_folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (bin_folder / name).chmod(0o755)
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert {path.name for path in (tmp_path / "my-reports" / "units").glob("*.html")} == {
        "motor-claims.html",
        "contact-centre.html",
    }
    assert read_data(tmp_path / "my-data", read_instrument()).waves == ("2026-Q4", "2027-Q1")
    assert len(list((tmp_path / "my-data" / "responses").glob("*.csv"))) == 2


def imported(tool: str, ending: str, rows: int) -> tuple[float, float]:
    """Seconds and GB that the benchmark says an import took, in a process of its own."""
    command = [sys.executable, "benchmarks/imports.py", "--tool", tool, "--responses", str(rows), "--format", ending]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stderr
    found = re.search(r"([\d.]+) s \(limit (\d+)\), peak ([\d.]+) GB \(limit (\d+)\)", done.stdout)
    seconds, most_seconds, peak, most = map(float, found.groups())
    assert (most_seconds, most) == (30, 2) and f"'read': {rows}, " in done.stdout
    assert done.stdout.startswith(f"{tool}: ")
    return seconds, peak


@pytest.mark.slow
def test_an_import_at_reduced_size_stays_far_within_the_limits():
    seconds, peak = imported("qualtrics", "csv", 2_000)
    assert seconds < 15 and peak < 1


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("tool", "ending", "rows"),
    [
        ("qualtrics", "csv", 200_000),
        ("google-forms", "csv", 200_000),
        ("surveymonkey", "csv", 200_000),
        ("limesurvey", "csv", 200_000),
        ("microsoft-forms", "xlsx", 20_000),
        ("qualtrics", "xlsx", 20_000),
    ],
)
def test_200000_answers_of_each_tool_come_in_within_the_limits(tool, ending, rows):
    seconds, peak = imported(tool, ending, rows)
    assert seconds < 30 and peak < 2
