"""From a data folder to checked tables and quarantine."""

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE
from openpyxl import Workbook
from public_data import advice_folder, onet_folder

from aiready.errors import InputError, UsageError
from aiready.inputs.dataset import read_data, write_quarantine
from aiready.inputs.location import instrument_folder
from aiready.inputs.safe_text import safe_cells
from aiready.instrument.model import Instrument, Settings, read_instrument
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, TABLES

NOTHING = pd.DataFrame()
RULES = Instrument(
    barriers=pd.DataFrame({"barrier_id": ["measurement"]}),
    items=pd.DataFrame({"item_id": ["item_a", "item_b"]}),
    indicators=NOTHING, bands=NOTHING, actions=NOTHING, patterns=NOTHING, sources=NOTHING, blockers=NOTHING,
    settings=Settings(), intro="", version="test", digest="",
)  # fmt: skip


def folder(target: Path, **tables: str) -> Path:
    target.mkdir(exist_ok=True)
    for name, text in tables.items():
        (target / f"{name}.csv").write_text(text, encoding="utf-8")
    return target


def read(target: Path, *, as_of: date | None = None, **tables: str):
    return read_data(folder(target, **tables), RULES, as_of)


UNITS = "unit_id,name,parent_id\nops,Operations,\nclaims,Claims,ops\ncards,Cards,ops\n"


# Responses -----------------------------------------------------------------------------------------------


def test_responses_alone_without_units_roles_or_waves(tmp_path):
    data = read(tmp_path, responses="unit_id,item_a\nclaims,3\ncards,4\n")
    assert data.units["unit_id"].tolist() == ["cards", "claims"]
    assert data.units["name"].tolist() == ["cards", "claims"]
    assert (data.wave, data.waves, data.as_of) == ("undated", ("undated",), None)
    responses = data.table("responses")
    assert responses["wave"].tolist() == ["undated", "undated"]
    assert responses["role"].isna().all()
    assert responses["item_a"].tolist() == [3.0, 4.0]
    assert responses["item_b"].isna().all()


def test_five_bad_rows_among_twenty_five_are_quarantined_whole_and_twenty_used(tmp_path):
    good = [f"r{i},claims,manager,2026-Q3,{i % 5 + 1},fine" for i in range(20)]
    bad = [
        "r90,claims,manager,2026-Q3,9,a level that is none",
        "r91,claims,manager,2026-Q3,2.5,half a level",
        "r92,nowhere,manager,2026-Q3,3,unknown unit",
        "r93,claims,boss,2026-Q7,3,two breaches",
        "r0,claims,manager,2026-Q3,3,second answer",
    ]
    lines = [*good[:10], *bad, *good[10:]]
    header = "respondent_id,unit_id,role,wave,item_a,remark"
    data = read(tmp_path, units=UNITS, responses="\n".join([header, *lines]))
    out = data.quarantine["responses"]
    assert len(data.table("responses")) == 20
    assert out[header.split(",")].agg(",".join, axis=1).tolist() == bad
    assert out["row"].tolist() == [12, 13, 14, 15, 16]
    assert set(out["file"]) == {"responses.csv"}
    assert out["column"].tolist() == ["item_a", "item_a", "unit_id", "role; wave", "respondent_id, wave"]
    assert out["value"].tolist() == ["9", "2.5", "nowhere", "boss; 2026-Q7", "r0, 2026-Q3"]
    assert out["rule"].str.contains("no level from 1 to 5|not in the table units|is none of|same").all()
    assert out["rule"].iloc[4] == "same respondent_id, wave as row 2"
    counts = data.counts.set_index("table").loc["responses"]
    assert (counts["read"], counts["used"], counts["quarantined"]) == (25, 20, 5)


def test_answers_that_are_no_level_are_codes_and_blanks_are_missing(tmp_path):
    said = ["4", "4.0", '"4,0"', "does not apply", "N/A", "Don't know", "I don’t know", "-9", "", "#N/A"]
    data = read(tmp_path, responses="unit_id,item_a,role\n" + "".join(f"claims,{text},manager\n" for text in said))
    nan = np.nan
    wanted = [4, 4, 4, DOES_NOT_APPLY, DOES_NOT_APPLY, DONT_KNOW, DONT_KNOW, nan, nan, nan]
    np.testing.assert_array_equal(data.table("responses")["item_a"], wanted)
    assert not data.quarantine


@pytest.mark.slow
@pytest.mark.parametrize("text", ["0", "6", "-1", "-2", "3.5", "agree", "inf"])
def test_other_answers_are_quarantined(tmp_path, text):
    data = read(tmp_path, responses=f"unit_id,item_a\nclaims,{text}\nclaims,3\n")
    assert data.quarantine["responses"]["value"].tolist() == [text]


def test_a_respondent_may_answer_once_a_wave_and_blank_codes_are_different_people(tmp_path):
    rows = ["r1,2026-Q2", "r1,2026-Q3", "r1,", ",2026-Q3", ",2026-Q3"]
    text = "respondent_id,wave,unit_id,item_a\n" + "".join(f"{row},claims,3\n" for row in rows)
    data = read(tmp_path, responses=text)
    assert data.quarantine["responses"]["row"].tolist() == [4]  # a blank wave is the newest one
    assert data.waves == ("2026-Q2", "2026-Q3")
    assert data.as_of == date(2026, 9, 30)


def test_people_are_hashed(tmp_path):
    data = read(tmp_path, responses="respondent_id,unit_id,item_a\nann@example.org,claims,3\n,claims,3\n")
    first, second = data.table("responses")["respondent_id"]
    assert len(first) == 12
    assert set(first) <= set("0123456789abcdef")
    assert second is None


def test_extra_columns_are_ignored_and_one_line_says_so(tmp_path):
    data = read(tmp_path, responses="unit_id,item_a,Start time,Name\nclaims,3,x,y\n")
    assert data.notes == ("responses.csv: 2 columns are not known and ignored (Start time, Name).",)
    assert "Name" not in data.table("responses")


# Every table ---------------------------------------------------------------------------------------------


def test_types_are_what_data_promises(tmp_path):
    data = read(
        tmp_path,
        initiatives="initiative_id,unit_id,name,stage,baseline,pilot_on,privacy_reviewed,explainable\n"
        'i1,claims,Letters,Pilot,"0,5",11.05.2026,2026-04-02,no\ni2,claims,B,idea,,,,\n',
        probes="unit_id,asked_at,question_id,correct\nclaims,2026-05-11T09:30:00+02:00,q,Yes\n",
    )
    initiatives = data.table("initiatives")
    assert tuple(initiatives.columns) == TABLES["initiatives"].names
    assert initiatives["baseline"].dtype == "float64"
    assert initiatives["baseline"].iloc[0] == 0.5
    assert initiatives["pilot_on"].dtype == "datetime64[ns]"
    assert initiatives["pilot_on"].iloc[0] == pd.Timestamp("2026-05-11")
    assert initiatives["stage"].tolist() == ["pilot", "idea"]
    assert initiatives["privacy_reviewed"].tolist() == ["yes", None]
    assert initiatives["explainable"].tolist() == ["no", None]
    assert initiatives["owner"].tolist() == [None, None]
    assert initiatives["owner"].dtype == object
    probes = data.table("probes")
    assert probes["correct"].dtype == "boolean"
    assert probes["asked_at"].iloc[0] == pd.Timestamp("2026-05-11 07:30")
    assert data.as_of == date(2026, 5, 11)
    assert data.wave == "2026-Q2"
    assert initiatives["wave"].tolist() == ["2026-Q2", "2026-Q2"]


USAGE = "initiative_id,unit_id,intended_users,active_users"
TRIALS = "initiative_id,measure,kind,direction,arm,n"
ACTIONS = "action_id,unit_id,barrier_id,action,owner,due_on,status"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "header", "row", "column"),
    [
        ("usage", USAGE, "i1,claims,10.5,3", "intended_users"),
        ("usage", USAGE, "i1,claims,,3", "intended_users"),
        ("usage", USAGE, "i1,claims,10,-1", "active_users"),
        ("usage", USAGE, "i9,claims,10,1", "initiative_id"),
        ("usage", USAGE, "i1,*,10,1", "unit_id"),
        ("usage", USAGE, 'i1,claims,"1,000",1', "intended_users"),
        ("tasks", "unit_id,job,task_id,task,adoption", "claims,j,t,x,1.2", "adoption"),
        ("tasks", "unit_id,job,task_id,task,adoption", "claims,j,t,x,140 %", "adoption"),
        ("tasks", "unit_id,job,task_id,task,mode", "claims,j,t,x,robot", "mode"),
        ("tasks", "unit_id,job,task_id,task,wave", "claims,j,t,x,autumn", "wave"),
        ("actions", ACTIONS, "a,claims,nothing,x,y,2026-01-01,open", "barrier_id"),
        ("actions", ACTIONS, "a,claims,measurement,x,y,05/11/2026,open", "due_on"),
        ("actions", ACTIONS, "a,claims,measurement,x,y,9999-12-31,open", "due_on"),
        ("trials", TRIALS + ",mean", "i1,m,outcome,increase,control,9,3", "successes"),
        ("trials", TRIALS + ",successes", "i1,m,outcome,increase,control,9,10", "successes"),
        ("trials", TRIALS + ",successes,started_on,ended_on",
         "i1,m,outcome,increase,control,9,8,2026-02-01,2026-01-01", "ended_on"),
        ("feedback", "feedback_id,unit_id,flagged_at,answered_at",
         "f,claims,2026-02-01,2026-01-31", "answered_at"),
        ("probes", "unit_id,asked_at,question_id,correct", "claims,2026-02-01,q,maybe", "correct"),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_rule_of_the_schema_is_quarantined(tmp_path, table, header, row, column):
    initiatives = "initiative_id,unit_id,name,stage\ni1,claims,Letters,idea\n"
    data = read(tmp_path, units=UNITS, initiatives=initiatives, **{table: f"{header}\n{row}\n"})
    assert data.quarantine[table]["column"].tolist() == [column]
    assert len(data.table(table)) == 0
    assert (data.counts["read"] == data.counts["used"] + data.counts["quarantined"]).all()


def test_what_a_blank_means_is_filled_in_and_counts_for_the_key(tmp_path):
    header = "initiative_id,trial_no,measure,kind,direction,arm,n,successes\n"
    data = read(tmp_path, trials=header + "i,,m,outcome,increase,control,9,3\ni,1,m,outcome,increase,control,9,3\n")
    assert data.table("trials")["trial_no"].tolist() == [1.0]
    assert data.quarantine["trials"]["row"].tolist() == [3]


def test_a_value_that_cannot_be_read_is_not_taken_for_a_blank(tmp_path):
    header = "unit_id,workflow,version,step_no,step,actor\n"
    steps = header + "claims,w,later,1,s,ai\nclaims,w,,1,s,ai\nclaims,w,Target,1,s,ai\n"
    data = read(tmp_path, workflow_steps=steps)
    assert data.quarantine["workflow_steps"]["value"].tolist() == ["later"]
    assert data.table("workflow_steps")["version"].tolist() == ["now", "target"]


def test_a_repeat_of_a_row_that_was_itself_left_out_is_used(tmp_path):
    data = read(tmp_path, units="unit_id,name,headcount\na,A,many\na,A,12\n")
    assert data.units["headcount"].tolist() == [12.0]


def test_a_row_wider_than_the_header_is_quarantined_with_what_is_too_much(tmp_path):
    data = read(tmp_path, units="unit_id,name\nclaims,Claims, handling\ncards,Cards\n")
    out = data.quarantine["units"]
    assert out["rule"].tolist() == ["more cells than the header has columns"]
    assert out["more cells"].tolist() == ["handling"]


def test_ids_are_text_whatever_a_spreadsheet_made_of_them(tmp_path):
    data = read(tmp_path, units="unit_id,name\n 11.0 ,A\n007,B\n1.10,C\n")
    assert data.units["unit_id"].tolist() == ["11", "007", "1.10"]


def test_units_in_a_circle_or_with_unknown_parents_are_an_error(tmp_path):
    with pytest.raises(InputError, match='"north", the parent of "a"') as caught:
        read(tmp_path, units="unit_id,name,parent_id\na,A,north\nb,B,c\nc,C,b\n")
    assert "b, c belong to each other in a circle" in str(caught.value)


def test_membership_holds_descendants_former_ids_and_the_organisation(tmp_path):
    units = "unit_id,name,parent_id,formerly\nops,O,,\nclaims,C,ops,north; south\ncards,K,ops,\n"
    data = read(tmp_path, units=units, responses="unit_id,item_a\nnorth,3\nwest,3\n")
    members = data.membership.groupby("unit_id")["member_id"].agg(lambda ids: sorted(ids)).to_dict()
    everyone = ["cards", "claims", "north", "ops", "south"]
    assert members == {
        "*": everyone, "ops": everyone, "cards": ["cards"], "claims": ["claims", "north", "south"],
    }  # fmt: skip
    assert data.quarantine["responses"]["value"].tolist() == ["west"]


# Dates ---------------------------------------------------------------------------------------------------

FEEDBACK = "feedback_id,unit_id,flagged_at,deployed_at\nf1,claims,2026-01-10,2026-03-01\nf2,claims,2026-02-10,\n"


def test_as_of_is_the_newest_thing_that_happened_never_a_deadline(tmp_path):
    initiatives = "initiative_id,unit_id,name,stage,deadline\ni1,claims,L,idea,2027-12-31\n"
    assert read(tmp_path, feedback=FEEDBACK, initiatives=initiatives).as_of == date(2026, 3, 1)


def test_rows_after_as_of_are_left_out_and_counted_and_later_events_have_not_happened(tmp_path):
    data = read(tmp_path, feedback=FEEDBACK, as_of=date(2026, 1, 31))
    assert data.table("feedback")["feedback_id"].tolist() == ["f1"]
    assert data.table("feedback")["deployed_at"].isna().all()
    assert data.counts.iloc[0].tolist() == ["feedback", 2, 1, 0, 1]
    assert data.notes == ("feedback: 1 rows happened after 2026-01-31 and are left out.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-05-11", "2026-05-11"),
        ("11.05.2026", "2026-05-11"),
        ("1.5.2026 14:05", "2026-05-01 14:05"),
        ("2026-05-11 09:30:00.5+00:00", "2026-05-11 09:30:00.5"),
        ("2026-05-11T09:30:00Z", "2026-05-11 09:30"),
        ("2026-05-11T00:30:00+02:00", "2026-05-10 22:30"),
        ("46153", "2026-05-11"),
        ("46153.5", "2026-05-11 12:00"),
    ],
)
def test_times_are_read_in_every_form_and_kept_in_utc(tmp_path, text, wanted):
    data = read(tmp_path, decisions=f"decision_id,unit_id,opened_at\nd,claims,{text}\n")
    assert data.decisions.to_pandas()["opened_at"].iloc[0] == pd.Timestamp(wanted)


def test_a_wave_that_a_spreadsheet_turned_into_a_date_is_turned_back(tmp_path):
    data = read(tmp_path, responses="unit_id,item_a,wave\nclaims,3,2026-09-01T00:00:00\nclaims,3,2026-q2\n")
    assert data.waves == ("2026-Q2", "2026-09")


# Decisions -----------------------------------------------------------------------------------------------

DECISIONS = (
    "decision_id,unit_id,decider_id,opened_at,decided_at,advice,final_decision,outcome_at,correct_decision\n"
    "d1,claims,ann,2026-01-10T09:00:00,2026-01-10T10:00:00,1.0,1,2026-02-01,0\n"
    "d2,claims,ann,2026-01-30T09:00:00,2026-02-02T10:00:00,pay,pay,,\n"
    "d3,claims,ann,2026-01-30T09:00:00,2026-01-29T10:00:00,pay,pay,,\n"
    "d1,claims,ann,2026-01-30T09:00:00,,,,,\n"
    "d4,claims,bob,,,,,,\n"
    "d5,claims,bob,2026-04-01,2026-04-02,,,,\n"
)


@pytest.mark.slow
def test_decisions_are_checked_on_the_engine(tmp_path):
    data = read(tmp_path, decisions=DECISIONS)
    rows = data.decisions.to_pandas().set_index("decision_id").sort_index()
    assert tuple(data.decisions.columns) == (*TABLES["decisions"].names, "wave")
    assert rows.index.tolist() == ["d1", "d2", "d5"]
    assert rows["wave"].tolist() == ["2026-Q1", "2026-Q1", "2026-Q2"]
    assert rows.loc["d1", ["advice", "final_decision"]].tolist() == ["1", "1"]
    assert rows["decider_id"].nunique() == 2
    assert rows["decider_id"].str.fullmatch("[0-9a-f]{12}").all()
    out = data.quarantine["decisions"].set_index("row").sort_index()
    assert out["column"].to_dict() == {4: "decided_at", 5: "decision_id", 6: "opened_at"}
    assert out.loc[5, "rule"] == "same decision_id as row 2"
    assert data.counts.iloc[0].tolist() == ["decisions", 6, 3, 3, 0]
    assert data.as_of == date(2026, 4, 2)


@pytest.mark.slow
def test_a_decision_decided_after_as_of_is_still_open(tmp_path):
    data = read(tmp_path, decisions=DECISIONS, as_of=date(2026, 1, 31))
    rows = data.decisions.to_pandas().set_index("decision_id").sort_index()
    assert rows.index.tolist() == ["d1", "d2"]
    assert rows["decided_at"].notna().tolist() == [True, False]
    assert rows["final_decision"].tolist() == ["1", None]
    assert rows["correct_decision"].tolist() == [None, None]
    assert data.counts.iloc[0].tolist() == ["decisions", 6, 2, 3, 1]


@pytest.mark.slow
def test_decisions_in_parquet_give_what_csv_gives(tmp_path):
    folder(tmp_path / "text", decisions=DECISIONS)
    typed = pd.read_csv(tmp_path / "text" / "decisions.csv")
    for name in ("opened_at", "decided_at", "outcome_at"):
        typed[name] = pd.to_datetime(typed[name], format="ISO8601")
    (tmp_path / "stored").mkdir()
    typed.to_parquet(tmp_path / "stored" / "decisions.parquet")
    text, stored = (read_data(tmp_path / name, RULES) for name in ("text", "stored"))
    pd.testing.assert_frame_equal(
        *(data.decisions.to_pandas().sort_values("decision_id", ignore_index=True) for data in (text, stored))
    )
    pd.testing.assert_frame_equal(text.counts, stored.counts)
    said = ["row", "column", "rule"]
    pd.testing.assert_frame_equal(text.quarantine["decisions"][said], stored.quarantine["decisions"][said])


def test_floats_and_whole_numbers_stored_as_labels_agree(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    duckdb.sql(
        "SELECT 'd' || i AS decision_id, 7 AS unit_id, TIMESTAMPTZ '2026-01-01 10:00:00+02' AS opened_at, "
        "1.0::DOUBLE AS advice, 1 AS final_decision, 'NaN'::DOUBLE AS correct_decision FROM range(3) t(i)"
    ).write_parquet(str(tmp_path / "decisions.parquet"))
    rows = read_data(tmp_path, RULES).decisions.to_pandas()
    assert rows.loc[0, ["unit_id", "advice", "final_decision"]].tolist() == ["7", "1", "1"]
    assert rows["correct_decision"].isna().all()
    assert rows["opened_at"].iloc[0] == pd.Timestamp("2026-01-01 08:00")


# Places --------------------------------------------------------------------------------------------------


def workbook(path: Path, **sheets: list[list]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path.parent.mkdir(exist_ok=True, parents=True)
    book.save(path)
    return path


SHEETS = {
    "Units": [["unit_id", "name"], [11, "Eleven"]],
    "responses": [["unit_id", "item_a", "wave"], [11, 4, date(2026, 9, 1)]],
    "about": [["key", "value"], ["organisation", "Example"]],
    "Notes": [["for us"]],
}


@pytest.mark.parametrize("inside", [True, False])
def test_a_workbook_is_a_data_folder(tmp_path, inside):
    path = workbook(tmp_path / "round.xlsx", **SHEETS)
    data = read_data(tmp_path if inside else path, RULES)
    assert data.units["name"].tolist() == ["Eleven"]
    assert data.table("responses")["unit_id"].tolist() == ["11"]
    assert data.waves == ("2026-09",)
    assert data.about == {"organisation": "Example"}
    assert data.notes == ('round.xlsx: sheet "Notes" is no table and was not read.',)
    assert data.inputs["file"].tolist() == ["round.xlsx"]


def test_a_folder_of_forms_is_one_table_and_every_row_remembers_its_file(tmp_path):
    header = ["initiative_id", "unit_id", "name", "stage"]
    workbook(tmp_path / "initiatives" / "a.xlsx", form=[header, ["i1", "claims", "A", "idea"]])
    workbook(tmp_path / "initiatives" / "b.xlsx", form=[[*header, "owner"], ["i2", "claims", "B", "nowhere", "Z"]])
    (tmp_path / "initiatives" / "c.csv").write_text("stage;name;unit_id;initiative_id\nidea;C;claims;i1\n")
    data = read_data(tmp_path, RULES)
    assert data.table("initiatives")["name"].tolist() == ["A"]
    out = data.quarantine["initiatives"]
    assert sorted(zip(out["file"], out["row"], strict=True)) == [
        ("initiatives/b.xlsx", 2),
        ("initiatives/c.csv", 2),
    ]


def test_forms_in_parquet_and_csv_are_one_table(tmp_path):
    (tmp_path / "units").mkdir()
    pd.DataFrame({"unit_id": [1], "name": ["A"], "headcount": [5.0]}).to_parquet(tmp_path / "units" / "a.parquet")
    (tmp_path / "units" / "b.csv").write_text("unit_id,name\n2,B\n")
    assert read_data(tmp_path, RULES).units["unit_id"].tolist() == ["1", "2"]


def test_an_instrument_beside_the_tables_is_found(tmp_path):
    assert instrument_folder(tmp_path) is None
    (tmp_path / "instrument").mkdir()
    assert instrument_folder(tmp_path) == tmp_path / "instrument"


def test_a_table_with_a_header_alone_counts_as_absent(tmp_path):
    data = read(tmp_path, units="unit_id,name\n", responses="unit_id,item_a\nclaims,3\n")
    assert data.units["unit_id"].tolist() == ["claims"]
    assert data.notes == ("units.csv holds no rows and counts as absent.",)


# File errors ---------------------------------------------------------------------------------------------


def test_everything_wrong_with_files_is_told_at_once(tmp_path):
    folder(tmp_path, units="", usage="initiative_id,unit_id\ni,u\n", responses="unit_id,other\na,3\n")
    (tmp_path / "tasks.csv").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "decisions.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "trials.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError) as caught:
        read_data(tmp_path, RULES)
    said = str(caught.value)
    for piece in (
        "units.csv: the file is empty",
        'usage.csv: the column "intended_users" is missing',
        'usage.csv: the column "active_users" is missing',
        "responses.csv: no column is an item of the questionnaire (item_a, item_b",
        "tasks.csv: this is no text file",
        "decisions.parquet: cannot be read as Parquet",
        "trials.xlsx: cannot be read as a workbook",
    ):
        assert piece in said


def test_the_same_table_twice_is_an_error(tmp_path):
    folder(tmp_path, units=UNITS)
    pd.DataFrame({"unit_id": ["a"], "name": ["A"]}).to_parquet(tmp_path / "units.parquet")
    with pytest.raises(InputError, match=r"units is there more than once \(units\.csv, units\.parquet\)"):
        read_data(tmp_path, RULES)


def test_no_table_at_all_is_an_error_that_names_the_tables(tmp_path):
    (tmp_path / "response.csv").write_text("unit_id\n")
    with pytest.raises(InputError, match=r"no table found\. Known tables: units, invitations, responses"):
        read_data(tmp_path, RULES)


def test_a_misspelt_table_is_noted(tmp_path):
    folder(tmp_path, units=UNITS, response="unit_id\na\n")
    note = "response.csv is no table and was not read (did you mean responses?)."
    assert read_data(tmp_path, RULES).notes == (note,)


@pytest.mark.parametrize("location", ["duckdb:///x.db", "oracle://host/x", "/nowhere/at/all"])
def test_places_that_cannot_be_read_are_bad_usage(location):
    with pytest.raises(UsageError):
        read_data(location, RULES)


# Databases -----------------------------------------------------------------------------------------------


def database(path: Path, folder: Path) -> str:
    """A DuckDB file with the tables of a data folder, the log typed and as a view, the others as text."""
    with duckdb.connect(path) as made:
        for table in folder.glob("*.csv"):
            if table.stem != "about":
                made.execute(f"CREATE TABLE {table.stem} AS FROM read_csv('{table}', all_varchar = true)")
        made.execute(f"CREATE TABLE log AS FROM '{folder / 'decisions.parquet'}'")
        made.execute(
            "CREATE SCHEMA sales; CREATE VIEW sales.decisions AS FROM main.log; CREATE TABLE other AS SELECT 1 AS x"
        )
    return f"duckdb://{path}"


@pytest.mark.slow
def test_a_duckdb_file_gives_what_the_folder_gives_and_stays_as_it_is(tmp_path):
    url = database(tmp_path / "w.duckdb", SAMPLE)
    before = (tmp_path / "w.duckdb").read_bytes()
    there, here = read_data(url, read_instrument()), read_data(SAMPLE, read_instrument())
    pd.testing.assert_frame_equal(there.counts, here.counts)
    for name, table in here.tables.items():
        pd.testing.assert_frame_equal(there.tables[name], table, rtol=1e-9)
    order = ["decision_id"]
    pd.testing.assert_frame_equal(
        there.decisions.order_by(order).to_pandas(), here.decisions.order_by(order).to_pandas(), rtol=1e-9
    )
    assert (tmp_path / "w.duckdb").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.duckdb"]
    assert there.inputs["file"].tolist() == ["w.duckdb"]


def test_a_database_without_a_known_table_or_that_is_none_is_told(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as made:
        made.execute("CREATE TABLE other AS SELECT 1 AS x")
    with pytest.raises(InputError, match="Make a view of that name"):
        read_data(f"duckdb://{path}", RULES)
    path.write_text("no database")
    with pytest.raises(InputError, match="cannot be read as a DuckDB database"):
        read_data(f"duckdb://{path}", RULES)


def test_an_address_with_a_password_is_never_repeated():
    with pytest.raises(UsageError) as refused:
        read_data("postgresql://user:secret@host/x", RULES)
    assert "secret" not in str(refused.value) and "user" not in str(refused.value)


# Writing -------------------------------------------------------------------------------------------------


def test_cells_that_a_spreadsheet_would_run_are_made_harmless():
    table = pd.DataFrame(
        {"id": "x", "said": ["=1+1", "+cmd", "-x", "@a", "\tb", "-5", "+3,5", "1e5", None, "a=b"], "n": range(10)}
    )
    safe = safe_cells(table)
    assert safe["said"].tolist()[:5] == ["'=1+1", "'+cmd", "'-x", "'@a", "'\tb"]
    assert safe["said"].tolist()[5:] == ["-5", "+3,5", "1e5", None, "a=b"]
    assert safe["n"].tolist() == list(range(10))


def test_quarantine_is_written_whole_and_harmless(tmp_path):
    data = read(tmp_path / "in", responses="unit_id,item_a,remark\nclaims,9,=HYPERLINK()\nclaims,3,\n")
    (path,) = write_quarantine(data, tmp_path / "out")
    assert path.name == "responses.csv"
    row = pd.read_csv(path).iloc[0]
    assert row["remark"] == "'=HYPERLINK()"
    assert (row["file"], row["row"], row["column"], row["value"]) == ("responses.csv", 2, "item_a", 9)


# Public data ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_public_tasks_load(tmp_path):
    data = read_data(onet_folder(tmp_path), RULES)
    assert len(data.table("tasks")) == 19_265
    assert len(data.units) == 923
    assert not data.quarantine


def test_the_public_advice_log_loads(tmp_path):
    data = read_data(advice_folder(tmp_path), RULES)
    rows = data.decisions.to_pandas()
    assert len(rows) == 1_938
    assert rows["decider_id"].nunique() == 51
    assert set(rows["advice"]) == set(rows["correct_decision"]) == {"0", "1"}
    assert not data.quarantine
