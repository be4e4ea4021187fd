"""Cells that were read as something they do not say: each is absent, set aside, or pointed out."""

import unicodedata
from datetime import date
from itertools import product
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pytest
from conftest import SAMPLE, answers
from servers import fill_postgres, fill_spark, postgres, spark
from typed_tables import cell

from aiready import Assessment
from aiready.errors import InfrastructureError, InputError, quote_distinctly, unknown_name
from aiready.inputs.dataset import Data, read_data
from aiready.inputs.entry_checks import cell_problem
from aiready.inputs.parse import parse_number as parse_on_engine
from aiready.inputs.row_accounting import verify_counts
from aiready.instrument.model import read_instrument
from aiready.measures import decisions
from aiready.measures.initiatives.problem_statements import problem_parts
from aiready.model.cell_values import parse_number
from aiready.model.schema import TABLES, Column
from aiready.profile import data_check

__all__ = ["postgres", "spark"]
RULES = read_instrument()
NOTHING = ["NULL", "null", r"\N", "nan", "NaN", "None", "<NA>", "(null)", "NaT", "-", "--", "nil", "n/a", "#N/A", "?",
           "NA", "#NV", "–", " NULL "]  # fmt: skip


def folder(target: Path, **tables: str) -> Path:
    target.mkdir(exist_ok=True)
    for name, text in tables.items():
        (target / f"{name}.csv").write_text(text, encoding="utf-8")
    return target


def read(target: Path, *, as_of: date | None = None, **tables: str) -> Data:
    return read_data(folder(target, **tables), RULES, as_of)


def table_of(header: str, *rows: str) -> str:
    return "\n".join([header, *rows]) + "\n"


UNITS = table_of("unit_id,name", "claims,Claims", "ops,Operations")
LOG = "decision_id,unit_id,decider_id,opened_at,decided_at,advice,final_decision,correct_decision"


def log(labels: list[str], advice: str = "pay", final: str = "pay") -> str:
    """Decisions of five people, one for each label of what was right."""
    return table_of(LOG, *(
        f'd{n},claims,p{n % 5},2026-01-10T09:00:00,2026-01-10T10:00:00,{advice},{final},"{label}"'
        for n, label in enumerate(labels)
    ))  # fmt: skip


# Words that say nothing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [*NOTHING, "#REF!"])
def test_a_label_that_says_nothing_is_no_label(tmp_path, word):
    made = decisions.measure(read(tmp_path, decisions=log(["pay"] * 20 + [word] * 40)), RULES)
    coverage, accuracy = cell(made, "label_coverage", "claims"), cell(made, "decision_accuracy", "claims")
    assert coverage["value"] == pytest.approx(20 / 60)
    assert (accuracy["value"], accuracy["n"]) == (1.0, 20)


def test_a_stored_log_and_a_file_of_text_agree_on_what_says_nothing(tmp_path):
    folder(tmp_path / "text", decisions=log(["pay", *NOTHING, "refuse"]))
    (tmp_path / "stored").mkdir()
    duckdb.sql(
        f"SELECT * REPLACE (opened_at::TIMESTAMP AS opened_at, decided_at::TIMESTAMP AS decided_at) "
        f"FROM read_csv('{tmp_path / 'text' / 'decisions.csv'}', all_varchar = true, nullstr = 'no such word')"
    ).write_parquet(str(tmp_path / "stored" / "decisions.parquet"))
    for name in ("text", "stored"):
        labels = read_data(tmp_path / name, RULES).decisions.to_pandas()["correct_decision"]
        assert sorted(labels.dropna()) == ["pay", "refuse"], name


INITIATIVES = "initiative_id,unit_id,name,stage,owner,guardrail,baseline,deadline,pilot_on,privacy_reviewed,direction"


@pytest.mark.parametrize("word", NOTHING)
def test_no_table_takes_a_word_that_says_nothing_for_a_value(tmp_path, word):
    row = f'i1,claims,Letters,pilot,"{word}","{word}","{word}","{word}","{word}","{word}","{word}"'
    data = read(tmp_path, initiatives=table_of(INITIATIVES, row))
    rows = data.table("initiatives").iloc[0]
    assert not data.quarantine
    assert (
        rows[["owner", "guardrail", "baseline", "deadline", "pilot_on", "privacy_reviewed", "direction"]].isna().all()
    )


@pytest.mark.parametrize("word", [*NOTHING, "#REF!"])
def test_an_owner_who_says_nothing_is_no_owner(tmp_path, word):
    data = read(
        tmp_path, initiatives=table_of(INITIATIVES, f'i1,claims,A,pilot,"{word}",,,,,,', "i2,claims,B,pilot,Ann,,,,,,")
    )
    assert problem_parts(data.table("initiatives"))["owner_part"].tolist() == [0, 2]


@pytest.mark.parametrize("word", ["NULL", r"\N", "nan", "None", "<NA>", "-", "?"])
def test_an_id_that_says_nothing_is_missing_and_its_row_set_aside(tmp_path, word):
    data = read(tmp_path, units=UNITS, usage=table_of(
        "initiative_id,unit_id,intended_users,active_users", f"i1,{word},10,2", "i1,claims,10,2"))  # fmt: skip
    assert data.quarantine["usage"]["rule"].tolist() == ["unit_id is missing"]
    assert data.quarantine["usage"]["value"].tolist() == [word]
    assert len(data.table("usage")) == 1


def test_words_that_mean_something_where_they_stand_are_read(tmp_path):
    data = read(
        tmp_path,
        units=table_of("unit_id,name,parent_id", "NA,NA,-", "eu,Europe,NULL", "de,Germany,eu"),
        workflow_steps=table_of("unit_id,workflow,step_no,step,actor,ai_use", "NA,w,1,s,human,none"),
    )
    assert data.units["unit_id"].tolist() == ["NA", "eu", "de"]
    assert data.units["name"].tolist()[0] == "NA"
    assert data.units["parent_id"].tolist() == [None, None, "eu"]
    assert data.table("workflow_steps")["ai_use"].tolist() == ["none"]


def test_answers_that_say_nothing_are_no_answer_and_people_without_a_code_are_different_people(tmp_path):
    given = answers(len(NOTHING)).astype(object)
    kept = [word for word in NOTHING if word not in ("n/a", "NA")]  # in an item both say: does not apply
    given = given.iloc[: len(kept)].assign(respondent_id="NULL", team_goal=kept)
    given.to_csv(tmp_path / "responses.csv", index=False)
    data = read_data(tmp_path, RULES)
    assert not data.quarantine
    assert data.table("responses")["team_goal"].isna().all()
    assert data.table("responses")["respondent_id"].isna().all()


def stored_log(target: Path) -> Path:
    """A log as databases hold it: times as such, words that say nothing, one label in three spellings."""
    folder(target / "text", decisions=log(["pay"] * 20 + NOTHING * 2 + ["PAY", "Pay "]))
    (target / "stored").mkdir()
    text = f"read_csv('{target / 'text' / 'decisions.csv'}', all_varchar = true, nullstr = 'no such word')"
    duckdb.sql(
        f"SELECT * REPLACE (opened_at::TIMESTAMP AS opened_at, decided_at::TIMESTAMP AS decided_at) FROM {text}"
    ).write_parquet(str(target / "stored" / "decisions.parquet"))
    return target / "stored"


def assert_reads_as_files_do(data: Data) -> None:
    assert data.decisions.to_pandas()["correct_decision"].dropna().tolist() == ["pay"] * 22
    made = decisions.measure(data, RULES)
    assert cell(made, "decision_accuracy", "claims")[["value", "n"]].tolist() == [1.0, 22]
    assert cell(made, "label_coverage", "claims")["value"] == pytest.approx(22 / (22 + 2 * len(NOTHING)))


@pytest.mark.parametrize(("id", "rule"), [("<NA>", "decision_id is missing"), ("None", "decision_id is missing")])
def test_one_stored_id_among_thousands_that_says_nothing_is_missing(tmp_path, id, rule):
    duckdb.sql(
        f"SELECT if(i = 7, '{id}', 'd' || i) AS decision_id, 'claims' AS unit_id, TIMESTAMP '2026-01-01' AS opened_at "
        "FROM range(2600) t(i)"
    ).write_parquet(str(tmp_path / "decisions.parquet"))
    data = read_data(tmp_path, RULES)
    assert data.quarantine["decisions"][["row", "rule"]].to_numpy().tolist() == [[9, rule]]
    assert data.counts.iloc[0].tolist() == ["decisions", 2600, 2599, 1, 0]


@pytest.mark.slow
def test_postgres_reads_the_same_words_as_nothing_and_the_same_labels_as_one(tmp_path, postgres):
    assert_reads_as_files_do(read_data(stored_log(tmp_path), RULES))
    assert_reads_as_files_do(read_data(fill_postgres(postgres, "words", tmp_path / "stored"), RULES))


@pytest.mark.slow
def test_spark_reads_the_same_words_as_nothing_and_the_same_labels_as_one(tmp_path, spark):
    assert_reads_as_files_do(read_data(fill_spark(spark, "words", stored_log(tmp_path)), RULES))


# Numbers -------------------------------------------------------------------------------------------------


def test_thousands_are_set_aside_where_whole_numbers_are_wanted(tmp_path):
    header = "unit_id,wave,invited"
    data = read(tmp_path, units=UNITS, invitations=table_of(
        header, "claims,2026-Q1,1.000", "claims,2026-Q2,1.200", "claims,2026-Q3,850"))  # fmt: skip
    assert data.table("invitations")["invited"].tolist() == [850.0]
    assert data.quarantine["invitations"]["value"].str.split("; ").str[0].tolist() == ["1.000", "1.200"]
    assert data.quarantine["invitations"]["rule"].str.contains("could be thousands or decimals").all()


def test_a_response_rate_is_never_taken_of_a_thousandth_of_the_people_invited(tmp_path):
    answers(12, wave="2026-Q3").to_csv(tmp_path / "responses.csv", index=False)
    folder(tmp_path, invitations=table_of("unit_id,wave,invited", "claims,2026-Q3,1.000"))
    assert Assessment.open(tmp_path).unit("claims").cell("response_rate").value != 12.0


TASKS = "unit_id;job;task_id;task;hours_per_year;oversight_hours;adoption"


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        # a decimal comma anywhere in the file: the point stands between thousands, or it does not; nobody knows
        (["1.200;0,5;0,4", "850;2,5;0,5"], [850.0]),
        # no decimals but such as end in 0: thousands, most likely
        (["1.200;4;", "850;2;"], [850.0]),
        # decimals with a point elsewhere: the point is decimal here too
        (["1.200;0.5;0.4", "850;2;0.5"], [1.2, 850.0]),
        # nothing speaks for thousands
        (["1.234;4;", "850;2;"], [1.234, 850.0]),
        # shares cannot be thousands
        (["850;4;0.500", "900;2;1.000"], [850.0, 900.0]),
    ],
)
def test_a_point_before_three_digits_is_decimal_only_where_the_file_says_so(tmp_path, cells, hours):
    rows = [f"claims;j;t{n};x;{row}" for n, row in enumerate(cells)]
    data = read(tmp_path, tasks=table_of(TASKS, *rows))
    assert data.table("tasks")["hours_per_year"].tolist() == hours
    assert len(data.quarantine.get("tasks", ())) == len(cells) - len(hours)


def test_a_stored_number_is_a_number_however_many_decimals_it_shows(tmp_path):
    duckdb.sql("SELECT 'claims' AS unit_id, '2026-Q3' AS wave, 1.000::DECIMAL(10, 3) AS invited").write_parquet(
        str(tmp_path / "invitations.parquet")
    )
    assert read_data(tmp_path, RULES).table("invitations")["invited"].tolist() == [1.0]


def test_each_file_of_forms_is_judged_by_its_own_numbers(tmp_path):
    folder(
        tmp_path / "tasks", a=table_of(TASKS, "claims;j;t1;x;1.200;0,5;"), b=table_of(TASKS, "claims;j;t2;x;1.200;0.5;")
    )
    data = read_data(tmp_path, RULES)
    assert data.table("tasks")["hours_per_year"].tolist() == [1.2]
    assert data.quarantine["tasks"]["file"].tolist() == ["tasks/a.csv"]


@pytest.mark.parametrize(
    "text", ["1'000", "1 000", "1 000", "1.234,5", "1,234.5", "1.234.567", "12,500", "5 Std", "~5"]
)
def test_a_number_in_any_other_form_is_set_aside_and_never_read_in_part(tmp_path, text):
    data = read(tmp_path, tasks=table_of("unit_id,job,task_id,task,hours_per_year", f'claims,j,t,x,"{text}"'))
    assert data.quarantine["tasks"]["value"].tolist() == [text]


@pytest.mark.parametrize(
    ("text", "value"), [("45 %", 0.45), ("45%", 0.45), ("45 %", 0.45), ("12,5 %", 0.125), ("0.45", 0.45), ("1e-1", 0.1)]
)
def test_a_share_may_be_written_in_per_cent(tmp_path, text, value):
    data = read(tmp_path, tasks=table_of("unit_id,job,task_id,task,adoption", f'claims,j,t,x,"{text}"'))
    assert data.table("tasks")["adoption"].tolist() == [pytest.approx(value)]
    assert cell_problem(TABLES["tasks"].column("adoption"), text) == ""


def test_a_cell_typed_by_hand_is_judged_like_one_in_a_file():
    invited = TABLES["invitations"].column("invited")
    assert "could be thousands" in cell_problem(invited, "1.000")
    assert cell_problem(invited, "1000") == ""
    assert cell_problem(Column("owner", "text", ""), "NULL") == ""
    assert cell_problem(Column("owner", "text", "", required=True), "NULL") == "owner is missing. Fill it in."
    assert parse_number("1_000") is None


def test_a_number_typed_by_hand_is_that_of_a_file():
    short = {"".join(signs) for length in range(6) for signs in product("017,.-e", repeat=length)}
    cells = sorted(short | {"1234,500", "12,500", "012,500", "+5", "1,5e3", "1_0", "inf", "nan", "1e400", "１２"})
    rows = ibis.memtable(pd.DataFrame({"cell": cells}))
    values = rows.select(cell=rows.cell, value=parse_on_engine(rows.cell.strip())).to_pandas()
    for text, value in zip(values["cell"], values["value"], strict=True):
        assert parse_number(text) == (None if pd.isna(value) else value), text


# Dates ---------------------------------------------------------------------------------------------------

FLAGS = [f"f{n},claims,2026-0{n}-01" for n in range(1, 8)]


def flags(*rows: str) -> str:
    return table_of("feedback_id,unit_id,flagged_at", *rows)


def test_one_date_long_after_all_others_is_set_aside_and_moves_nothing(tmp_path):
    pilot = table_of("initiative_id,unit_id,name,stage,pilot_on", "i1,claims,A,pilot,2026-01-04")
    data = read(tmp_path, initiatives=pilot, feedback=flags(*FLAGS, "late,claims,2062-04-08"))
    assert data.as_of == date(2026, 7, 1)
    assert data.as_of_from == 'feedback.csv, row 8, column "flagged_at": 2026-07-01'
    assert data.quarantine["feedback"]["value"].tolist() == ["2062-04-08"]
    assert "long after everything else" in data.quarantine["feedback"]["rule"].iloc[0]
    assert "--as-of" in data.notes[0]


def test_a_day_that_is_given_moves_nothing_and_sets_nothing_aside(tmp_path):
    data = read(tmp_path, feedback=flags(*FLAGS, "late,claims,2062-04-08"), as_of=date(2026, 9, 30))
    assert not data.quarantine
    assert data.as_of_from == "--as-of"
    assert data.counts.iloc[0].tolist() == ["feedback", 8, 7, 0, 1]


def test_sparse_records_keep_their_dates_and_a_line_says_what_the_day_rests_on(tmp_path):
    header = "initiative_id,unit_id,name,stage,idea_on,pilot_on,outcome_on"
    data = read(tmp_path, initiatives=table_of(header, "i1,claims,A,pilot,2021-03-01,2023-06-01,2026-05-11"))
    assert data.as_of == date(2026, 5, 11)
    assert not data.quarantine
    assert data.notes == (
        'Ages are counted to 2026-05-11 because of initiatives.csv, row 2, column "outcome_on": 2026-05-11; everything '
        "else is dated 2023-Q2 or before. Correct it if it is wrong, or give --as-of.",
    )


def test_a_typing_error_of_a_few_years_is_set_aside_where_records_are_dense(tmp_path):
    dense = [f"f{n},claims,2026-0{1 + n % 6}-1{n % 9}" for n in range(100)]
    assert read(tmp_path / "a", feedback=flags(*dense, "x,claims,2029-05-01")).as_of == date(2026, 6, 18)
    data = read(tmp_path / "b", feedback=flags(*dense[:99], "x,claims,2029-05-01"))
    assert data.as_of == date(2029, 5, 1)
    assert "because of feedback.csv, row 101" in data.notes[0]


def test_answers_of_a_newer_wave_vouch_for_its_dates(tmp_path):
    answers(25, wave="2029-Q2").to_csv(tmp_path / "responses.csv", index=False)
    dense = [f"f{n},claims,2026-0{1 + n % 6}-1{n % 9}" for n in range(100)]
    assert read(tmp_path, feedback=flags(*dense, "x,claims,2029-05-01")).as_of == date(2029, 5, 1)


def test_placeholders_of_the_past_never_set_the_present_aside(tmp_path):
    header = "initiative_id,unit_id,name,stage,idea_on,pilot_on"
    rows = [f"i{n},claims,A,pilot,1970-01-01,{'2026-05-11' if n == 1 else ''}" for n in range(9)]
    data = read(tmp_path, initiatives=table_of(header, *rows))
    assert data.as_of == date(2026, 5, 11)
    assert not data.quarantine


@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True])
def test_a_log_with_times_long_after_all_others_keeps_them_out(tmp_path, stored):
    far = "far,claims,p1,2099-12-31T00:00:00,,,,"
    folder(tmp_path, decisions=log(["pay"] * 60) + far + "\n")
    if stored:
        text = tmp_path / "decisions.csv"
        duckdb.sql(f"FROM read_csv('{text}')").write_parquet(str(tmp_path / "decisions.parquet"))
        text.unlink()
    data = read_data(tmp_path, RULES)
    assert data.as_of == date(2026, 1, 10)
    assert data.quarantine["decisions"]["decision_id"].tolist() == ["far"]
    assert data.counts.iloc[0].tolist() == ["decisions", 61, 60, 1, 0]


def test_check_says_which_cell_the_day_rests_on_and_that_it_is_still_to_come(tmp_path, run):
    folder(tmp_path, feedback=flags(*FLAGS))
    shown = run("check", tmp_path).out
    assert 'Ages are counted to 2026-07-01, set by feedback.csv, row 8, column "flagged_at": 2026-07-01.' in shown
    ahead = data_check.check(str(tmp_path), today=date(2026, 6, 1)).as_text()
    assert "This day is still to come (today is 2026-06-01)." in ahead
    assert data_check.check(str(tmp_path), today=date(2026, 7, 1)).as_text().count("still to come") == 0


def test_check_says_that_only_a_wave_sets_the_day(tmp_path):
    answers(12, wave="2026-Q3").to_csv(tmp_path / "responses.csv", index=False)
    assert "2026-09-30, set by the last day of wave 2026-Q3." in data_check.check(str(tmp_path)).as_text()


def test_a_wave_years_after_all_others_is_pointed_out(tmp_path):
    answers(26, wave=["2026-Q2"] * 12 + ["2026-Q3"] * 13 + ["2062-Q3"]).to_csv(tmp_path / "responses.csv", index=False)
    assert "The newest wave, 2062-Q3, lies 36 years after 2026-Q3. Correct its rows if a label is wrong." in (
        data_check.check(str(tmp_path)).notes
    )


# Equal but for how they are written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("final", "right"),
    [("Approve", "APPROVE"), ("küche", unicodedata.normalize("NFD", "Küche")), ("pay  back", "Pay back")],
)
def test_labels_that_differ_only_in_how_they_are_written_are_one_label(tmp_path, final, right):
    data = read(tmp_path, decisions=log([right] * 20, final, final))
    accuracy = cell(decisions.measure(data, RULES), "decision_accuracy", "claims")
    assert (accuracy["value"], accuracy["n"]) == (1.0, 20)
    (line,) = data.notes
    assert line.endswith("differ only in how they are written and count as one label.")
    assert data.counts.iloc[0].tolist() == ["decisions", 20, 20, 0, 0]


def test_labels_that_differ_in_words_stay_different(tmp_path):
    data = read(tmp_path, decisions=log(["pay in full"] * 20, "pay", "pay"))
    assert cell(decisions.measure(data, RULES), "decision_accuracy", "claims")["value"] == 0.0
    assert data.notes == ()


def test_ids_with_accents_are_one_however_they_are_composed(tmp_path):
    apart = unicodedata.normalize("NFD", "küche")
    units = table_of("unit_id,name,parent_id", "küche,Küche,", f"pass,Pass,{apart}")
    data = read(tmp_path, units=units, responses=table_of("unit_id,purpose_told", f"{apart},3", "küche,4"),
                decisions=log(["pay"]).replace("claims", apart))  # fmt: skip
    assert not data.quarantine
    assert data.table("responses")["unit_id"].tolist() == ["küche", "küche"]
    assert data.decisions.to_pandas()["unit_id"].tolist() == ["küche"]
    assert set(data.membership.loc[data.membership["unit_id"] == "küche", "member_id"]) == {"küche", "pass"}


@pytest.mark.parametrize("units", [UNITS, None])
def test_ids_that_differ_only_in_case_are_pointed_out(tmp_path, units):
    tables = {"units": units} if units else {}
    data = read(tmp_path, responses=table_of("unit_id,purpose_told", "claims,3", "claims,3", "Claims,4"), **tables)
    assert data.notes == (
        'unit_id: "claims" and "Claims" differ only in how they are written and count as different. Write them alike '
        "if they are the same.",
    )


def test_two_words_that_say_nothing_are_no_two_spellings_of_a_name(tmp_path):
    header = "initiative_id,unit_id,intended_users,active_users"
    data = read(tmp_path, units=UNITS, usage=table_of(header, "i1,None,10,2", "i1,none,10,2", "i1,claims,10,2"))
    assert data.notes == ()


def test_workflows_and_jobs_that_differ_only_in_spaces_or_case_are_pointed_out(tmp_path):
    header = "unit_id,workflow,step_no,step,actor"
    data = read(tmp_path, workflow_steps=table_of(header, "claims,Motor claim,1,s,ai", "claims,motor  claim,1,s,ai"))
    assert [note.split(":")[0] for note in data.notes] == ["workflow"]


def test_names_that_look_the_same_are_told_apart_by_their_code_points(tmp_path):
    assert quote_distinctly(["claims", "claims\u200b"]) == ['"claims" (plain letters)', '"claims\u200b" (with U+200B)']
    said = str(unknown_name("unit", unicodedata.normalize("NFD", "küche"), ["küche"]))
    assert "(with U+0308)" in said and "(with U+00FC)" in said
    with pytest.raises(InputError, match='There is "ops": write it in place of "Ops"'):
        read(tmp_path, units=table_of("unit_id,name,parent_id", "ops,Operations,", "claims,Claims,Ops"))


YES = ["yes", "ja", "WAHR", "VRAI", "verdadero", "VERDADERO", "sí", unicodedata.normalize("NFD", "sí"), "oui", "si",
       "TRUE", "t", "1", "1.0", "Y"]  # fmt: skip
NO = ["no", "nein", "FALSCH", "FAUX", "falso", "FALSO", "non", "FALSE", "f", "0", "0.0", "N"]


def test_yes_and_no_are_read_in_the_languages_of_spreadsheets(tmp_path):
    header = "unit_id,asked_at,question_id,correct"
    rows = [f"claims,2026-05-11,q,{word}" for word in (*YES, *NO)]
    data = read(tmp_path, probes=table_of(header, *rows))
    assert not data.quarantine
    assert data.table("probes")["correct"].tolist() == [True] * len(YES) + [False] * len(NO)


@pytest.mark.parametrize(("word", "code"), [("Weiß ich nicht", -2), ("WEISS ICH NICHT", -2), ("No lo sé", -2),
                                            ("Trifft nicht zu", -1), ("No procede", -1)])  # fmt: skip
def test_answers_in_words_of_the_shipped_languages_are_read(tmp_path, word, code):
    data = read(tmp_path, responses=table_of("unit_id,purpose_told", f"claims,{word}"))
    assert data.table("responses")["purpose_told"].tolist() == [code]


@pytest.mark.slow
def test_a_server_s_ids_with_accents_are_one_with_those_of_files(tmp_path, postgres):
    postgres.run("CREATE DATABASE accents")
    apart = unicodedata.normalize("NFD", "küche")
    postgres.run("CREATE TABLE units (unit_id text, name text); INSERT INTO units VALUES ('küche', 'Küche')", "accents")
    postgres.run("CREATE TABLE decisions (decision_id text, unit_id text, opened_at timestamp)", "accents")
    postgres.run(
        f"INSERT INTO decisions VALUES ('d1', '{apart}', '2026-01-01'), ('d2', 'küche', '2026-01-01')", "accents"
    )
    data = read_data(postgres.url("accents"), RULES)
    assert not data.quarantine
    assert data.decisions.to_pandas()["unit_id"].tolist() == ["küche", "küche"]


# What check shows ----------------------------------------------------------------------------------------


def test_check_lists_every_distinct_value_of_columns_with_few(tmp_path):
    given = answers(25, role=["frontline"] * 20 + ["manager"] * 4 + [None], wave="2026-Q3")
    given.to_csv(tmp_path / "responses.csv", index=False)
    folder(tmp_path, decisions=log(["pay"] * 3 + ["refuse", "NULL"]), probes=table_of(
        "unit_id,asked_at,question_id,correct", "claims,2026-01-01,q,ja", "claims,2026-01-01,q,0"))  # fmt: skip
    shown = data_check.check(str(tmp_path))
    values = shown.values.set_index(["table", "column", "value"])["rows"]
    assert values["responses", "role"].to_dict() == {"frontline": 20, "manager": 4, "(empty)": 1}
    assert values["decisions", "correct_decision"].to_dict() == {"pay": 3, "(empty)": 1, "refuse": 1}
    assert values["probes", "correct"].to_dict() == {"no": 1, "yes": 1}
    assert "role: frontline 20, manager 4, (empty) 1" in shown.as_text()
    assert ("responses", "comment") not in set(shown.values[["table", "column"]].itertuples(index=False, name=None))


def test_a_long_list_of_values_says_how_many_more_there_are(tmp_path):
    folder(tmp_path, decisions=log([f"label {n:02}" for n in range(30)]))
    assert "label 19 1 and 10 more" in data_check.check(str(tmp_path)).as_text()


def test_every_value_that_breaks_a_rule_is_listed_with_how_often(tmp_path):
    given = answers(25).astype({"team_goal": object})
    given.loc[:5, "team_goal"] = [8, 8, 8, 9, 9, 77]
    given.to_csv(tmp_path / "responses.csv", index=False)
    reasons = data_check.check(str(tmp_path)).reasons
    assert reasons[["rows", "value"]].to_numpy().tolist() == [[6, "8 (3), 9 (2), 77 (1)"]]


def test_rules_beyond_those_listed_are_counted(tmp_path):
    given = answers(25).astype(object)
    for place, item in enumerate(given.columns[1:8]):
        given.loc[place, item] = "often"
    given.to_csv(tmp_path / "responses.csv", index=False)
    assert "responses: rows break 2 more rules than are listed" in data_check.check(str(tmp_path)).as_text()


# Every row accounted for ---------------------------------------------------------------------------------


def test_a_row_that_is_lost_stops_everything_and_the_table_is_named():
    columns = ["table", "read", "used", "quarantined", "after_as_of"]
    sound = pd.DataFrame([("usage", 10, 7, 2, 1)], columns=columns)
    assert verify_counts(sound) is sound
    with pytest.raises(InfrastructureError, match="tasks: 10 rows were read, but 7 are used, 2 set aside and 0 later"):
        verify_counts(pd.concat([sound, pd.DataFrame([("tasks", 10, 7, 2, 0)], columns=columns)]))


@pytest.mark.slow
def test_used_rows_are_counted_where_they_are_and_not_worked_out(tmp_path):
    data = read_data(SAMPLE, RULES)
    used = data.counts.set_index("table")["used"]
    for name in used.index.drop("decisions"):
        assert used[name] == len(data.tables[name]), name
    assert used["decisions"] == data.decisions.count().execute()
