"""Tables in a database: the same results as from files, nothing written there, no secret told, faults in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE
from public_data import advice_folder
from servers import Server, fill_duckdb, fill_postgres, fill_spark, postgres, spark

from aiready import Assessment
from aiready.errors import InfrastructureError, InputError, UsageError
from aiready.inputs.dataset import Data, read_data
from aiready.inputs.location import absolute_location
from aiready.instrument.model import read_instrument
from aiready.measures import decisions
from aiready.model.schema import TABLES
from aiready.profile.data_check import check

__all__ = ["postgres", "spark"]
SERVERS = [pytest.param("postgres", marks=pytest.mark.server), pytest.param("spark", marks=pytest.mark.acceptance)]
RULES = read_instrument()
WORD = "correct-horse-7"
"""Password of the role that may only read."""
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("servers")]


# Folders and what they give -------------------------------------------------------------------------------


def in_key_order(source: Path, target: Path, *, every: int = 1) -> Path:
    """A data folder with rows in the order of their keys, as of a database, and every so many decisions."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.suffix == ".csv" and path.stem in TABLES:
            rows = pd.read_csv(path, dtype=str, keep_default_na=False)
            key = [name for name in TABLES[path.stem].key if name in rows]
            known = [name for name in TABLES[path.stem].names if name in rows]
            rows.sort_values([*key, *known], kind="stable").to_csv(target / path.name, index=False)
    log = f"read_parquet('{source / 'decisions.parquet'}', file_row_number = true)"
    some = f"file_row_number % {every} = 0 OR decided_at < opened_at"
    rows = duckdb.sql(f"SELECT * EXCLUDE (file_row_number) FROM {log} WHERE {some}")
    rows.write_parquet(str(target / "decisions.parquet"))
    return target


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory) -> Path:
    """The sample with one in ten of its decisions."""
    return in_key_order(SAMPLE, tmp_path_factory.mktemp("ordered") / "data", every=10)


@pytest.fixture(scope="session")
def small_data(small_folder: Path) -> Data:
    return read_data(small_folder, RULES)


@pytest.fixture(scope="session")
def few_tables(small_folder: Path, tmp_path_factory) -> Path:
    """Those of its tables that decisions are measured with."""
    folder = tmp_path_factory.mktemp("few") / "data"
    folder.mkdir()
    for name in ("units.csv", "initiatives.csv", "feedback.csv", "decisions.parquet"):
        (folder / name).write_bytes((small_folder / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def in_postgres(postgres: Server, small_folder: Path) -> str:
    return fill_postgres(postgres, "small", small_folder)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in an order of their own, whatever order they came in; cells that are lists as text."""
    words = [name for name in table if not pd.api.types.is_float_dtype(table[name])]
    plain = table.assign(**{name: table[name].astype(str) for name in words})
    return plain.sort_values([*words, *table.columns.drop(words)], ignore_index=True)


def assert_same(there: pd.DataFrame, here: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(in_order(there), in_order(here), rtol=1e-9, atol=1e-9, check_dtype=False)


def assert_same_data(there: Data, here: Data) -> None:
    """Every checked table, every count, and every measure of the log, quantiles among them."""
    pd.testing.assert_frame_equal(there.counts, here.counts)
    assert there.as_of == here.as_of
    for name, table in here.tables.items():
        assert_same(there.tables[name], table)
    measured = decisions.measure(here, RULES)
    assert_same(decisions.measure(there, RULES), measured)
    speeds = measured[measured["measure"].isin(["decision_speed_p50", "decision_speed_p90"])]
    assert speeds["value"].notna().sum() > 30


def assert_same_results(there: Path, here: Path) -> None:
    """Every table of two results folders, but for the files they were made from."""
    names = {path.name for path in here.glob("*.parquet")}
    assert names == {path.name for path in there.glob("*.parquet")} and len(names) > 15
    for name in names - {"inputs.parquet"}:
        assert_same(pd.read_parquet(there / name), pd.read_parquet(here / name))


# The same results ----------------------------------------------------------------------------------------


def test_postgres_gives_what_the_folder_gives(in_postgres, small_data):
    assert_same_data(read_data(in_postgres, RULES), small_data)


def test_spark_gives_what_the_folder_gives_and_holds_nothing_new(spark, few_tables):
    url = fill_spark(spark, "few", few_tables)
    before = listed(spark, "few")
    assert_same_data(read_data(url, RULES), read_data(few_tables, RULES))
    assert listed(spark, "few") == before


def listed(spark, database: str) -> list[str]:
    return sorted(str(row) for row in spark.sql(f"SHOW TABLES IN {database}").collect())


def test_a_duckdb_file_gives_the_results_that_the_folder_gives(sample_results, tmp_path):
    url = fill_duckdb(tmp_path / "w.duckdb", SAMPLE)
    Assessment.open(url).save(tmp_path / "results")
    assert_same_results(tmp_path / "results", sample_results)


@pytest.mark.parametrize("day", ["2026-06-30", "2026-03-15"])
def test_an_earlier_day_cuts_the_log_where_it_lies(in_postgres, small_folder, day):
    there, here = (read_data(at, RULES, as_of=pd.Timestamp(day).date()) for at in (in_postgres, small_folder))
    assert here.counts.set_index("table").loc["decisions", "after_as_of"] > 100
    assert_same_data(there, here)


@pytest.mark.parametrize("kind", SERVERS)
def test_the_public_advice_log_gives_the_reference_values_where_it_lies(kind, request, tmp_path):
    """Human .595975, advice .697110, together .684211; RAIR 338/545, RSR 189/349; 9.658 s and 16.543 s."""
    log = pd.read_csv(advice_folder(tmp_path / "csv") / "decisions.csv", dtype={"decision_id": str})
    times = {
        name: pd.to_datetime(log[name], format="ISO8601", utc=True).dt.tz_localize(None)
        for name in ("opened_at", "decided_at")
    }
    (tmp_path / "data").mkdir()
    log.assign(**times).to_parquet(tmp_path / "data" / "decisions.parquet", index=False)
    server = request.getfixturevalue(kind)
    url = (fill_postgres if kind == "postgres" else fill_spark)(server, "advice", tmp_path / "data")
    measured = decisions.measure(read_data(url, RULES), RULES)
    total = measured[(measured["unit_id"] == "*") & (measured["segment"] == "all")].set_index("measure")["value"]
    expected = {
        "human_accuracy": 0.595975, "advice_accuracy": 0.697110, "decision_accuracy": 0.684211,
        "reliance_on_right_advice": 338 / 545, "self_reliance": 189 / 349, "over_reliance": 396 / 587,
        "under_reliance": 216 / 1351, "override_rate": 407 / 1938, "override_correct": 0.469287,
        "net_override_value": -0.012900, "decision_speed_p50": 9.658, "decision_speed_p90": 16.543,
    }  # fmt: skip
    for name, value in expected.items():
        assert total[name] == pytest.approx(value, abs=1e-6 if value < 1 else 5e-4), name


# Read only -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def reader(postgres: Server, in_postgres: str) -> str:
    """A role that may only select, and must give its password."""
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text("local all reader scram-sha-256\n" + rules.read_text())
    postgres.run(f"CREATE ROLE reader LOGIN PASSWORD '{WORD}'")
    postgres.run("REVOKE ALL ON DATABASE small FROM PUBLIC; GRANT CONNECT ON DATABASE small TO reader")
    postgres.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; SELECT pg_reload_conf()", "small")
    return postgres.url("small", "reader", schema="public")


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from aiready.cli.commands import main; main()", *map(str, arguments)]
    given = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=given)


def snapshot(postgres: Server) -> str:
    """Everything that stands in the catalogue, and how many rows were ever changed."""
    things = "SELECT count(*), max(oid::bigint) FROM pg_class UNION ALL SELECT count(*), 0 FROM pg_proc"
    changed = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1"
    return postgres.run(things, "small") + postgres.run(changed, "small")


def test_a_report_needs_no_right_but_to_select_and_tells_no_secret(reader, postgres, small_folder, tmp_path):
    before = snapshot(postgres)
    out, files = tmp_path / "out", tmp_path / "files"
    done = run("report", reader, "--out", out, "--unit", "motor-claims", "--jobs", 2, PGPASSWORD=WORD)
    assert done.returncode == 0, done.stderr
    assert snapshot(postgres) == before
    assert run("score", small_folder, "--out", files).returncode == 0
    assert_same_results(out / "records/results", files / "records/results")
    assert (out / "units/motor-claims.html").exists() and (out / "overview/portfolio.html").exists()
    for path in (path for path in out.rglob("*") if path.is_file()):
        assert WORD.encode() not in path.read_bytes(), path
        assert str(postgres.folder).encode() not in path.read_bytes(), path
    assert WORD not in done.stdout + done.stderr


def test_the_session_refuses_to_write_even_for_the_owner(in_postgres):
    import psycopg

    engine = read_data(in_postgres, RULES).decisions.get_backend()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        engine.raw_sql("CREATE TABLE mine (x int)")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        engine.raw_sql("DELETE FROM units")


@pytest.mark.parametrize("word", ["wrong-battery-8", ""])
def test_who_is_not_let_in_is_told_so_without_the_password(reader, word, tmp_path):
    done = run("check", reader, PGPASSWORD=word, AIREADY_DEBUG="1")
    assert done.returncode == 3
    assert "postgres: the database did not answer" in done.stderr and "password" in done.stderr
    assert WORD not in done.stderr and "Traceback" not in done.stderr and (not word or word not in done.stderr)


def test_a_table_that_may_not_be_read_is_named(reader, postgres):
    postgres.run("REVOKE SELECT ON probes FROM reader", "small")
    try:
        done = run("check", reader, PGPASSWORD=WORD)
    finally:
        postgres.run("GRANT SELECT ON probes TO reader", "small")
    assert done.returncode in (0, 1), done.stderr  # what a role may not see is not listed to it
    assert "probes" not in done.stdout
    assert WORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "postgres://user:secret-9@host/x",
        "postgresql://host/x?password=secret-9",
        "spark:///x?spark.hadoop.fs.s3a.secret.key=secret-9",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(address):
    with pytest.raises(UsageError, match="PGPASSWORD") as refused:
        read_data(address, RULES)
    assert "secret-9" not in str(refused.value)


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path):
    with pytest.raises(InfrastructureError, match=r"postgres: the database did not answer \(.*\)\.$") as told:
        read_data(f"postgres:///x?host={tmp_path}", RULES)
    assert told.value.exit_code == 3
    assert "\n" not in str(told.value)


def test_a_connection_lost_while_measuring_is_told_in_a_sentence(in_postgres, postgres, monkeypatch):
    """The server ends every session of this database between reading and measuring."""
    count_log = decisions.count_log

    def lost(data, rules):
        postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'small'")
        return count_log(data, rules)

    monkeypatch.setattr(decisions, "count_log", lost)
    with pytest.raises(InfrastructureError, match="the database did not answer"):
        Assessment.open(in_postgres)


# Names and types -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def odd_names(postgres: Server, in_postgres: str) -> None:
    """A schema whose table and columns are called otherwise, with types a warehouse has."""
    postgres.run(
        """
        CREATE SCHEMA claims;
        CREATE TABLE claims.cases AS SELECT decision_id AS "Case No", unit_id AS team, decider_id AS clerk,
          opened_at AT TIME ZONE 'UTC' AS received, decided_at AT TIME ZONE 'UTC' AS closed, advice,
          advice_confidence::numeric(8, 6) AS sure, initial_decision, final_decision, autonomy_level::smallint AS level,
          correct_decision, context_complete = 'yes' AS complete, 'Jane Roe' AS clerk_name
          FROM public.decisions WHERE decided_at IS NULL OR decided_at >= opened_at;
        CREATE VIEW claims.teams AS SELECT unit_id AS id, name, parent_id, headcount FROM public.units;
        """,
        "small",
    )


MAP = {
    ("decisions", ""): "claims.cases", ("decisions", "decision_id"): "Case No", ("decisions", "unit_id"): "team",
    ("decisions", "decider_id"): "clerk", ("decisions", "opened_at"): "received", ("decisions", "decided_at"): "closed",
    ("decisions", "advice_confidence"): "sure", ("decisions", "autonomy_level"): "level",
    ("decisions", "context_complete"): "complete", ("units", ""): "claims.teams", ("units", "unit_id"): "id",
}  # fmt: skip


def written(path: Path, names: dict[tuple[str, str], str]) -> Path:
    rows = [(table, column, name) for (table, column), name in names.items()]
    pd.DataFrame(rows, columns=["table", "column", "name"]).to_csv(path, index=False)
    return path


def test_a_map_names_tables_and_columns_and_its_folder_holds_the_rest(odd_names, postgres, small_folder, tmp_path):
    """The log and units from the database, the answers from a file beside the map."""
    (tmp_path / "responses.csv").write_bytes((small_folder / "responses.csv").read_bytes())
    (tmp_path / "about.csv").write_bytes((SAMPLE / "about.csv").read_bytes())
    names = written(tmp_path / "names.csv", MAP)
    there = read_data(f"{postgres.url('small', schema='claims')}#{names}", RULES)
    wanted = ["units", "responses", "decisions"]
    folder = tmp_path / "here"
    folder.mkdir()
    for name in ("units.csv", "responses.csv"):
        (folder / name).write_bytes((small_folder / name).read_bytes())
    taken = [name for (table, name) in MAP if table == "decisions" and name]
    as_is = ["advice", "initial_decision", "final_decision", "correct_decision"]
    log = f"SELECT {', '.join([*taken, *as_is])} FROM '{small_folder / 'decisions.parquet'}'"
    duckdb.sql(f"{log} WHERE decided_at IS NULL OR decided_at >= opened_at").write_parquet(
        str(folder / "decisions.parquet")
    )
    here = read_data(folder, RULES)
    assert list(there.counts["table"]) == wanted
    assert_same_data(there, here)
    assert there.about["organisation"]
    assert any("clerk_name" in note for note in there.notes)
    told = ["about.csv", "postgres[claims.cases]", "postgres[claims.teams]", "responses.csv"]
    assert sorted(there.inputs["file"]) == told


def test_the_command_line_takes_the_map(odd_names, postgres, tmp_path):
    names = written(tmp_path / "names.csv", MAP)
    done = run("check", postgres.url("small", schema="claims"), "--map", names, "--json")
    assert done.returncode == 0, done.stderr
    assert '"decisions"' in done.stdout and '"table": "units"' in done.stdout


def test_everything_wrong_with_a_map_is_told_at_once(postgres, in_postgres, tmp_path):
    names = {
        ("decision", ""): "x", ("decisions", "opend_at"): "received", ("units", "name"): "", ("units", "unit_id"): "id",
    }  # fmt: skip
    path = written(tmp_path / "names.csv", names)
    path.write_text(path.read_text() + "units,unit_id,key\n")
    with pytest.raises(InputError) as told:
        read_data(f"{in_postgres}#{path}", RULES)
    lines = str(told.value).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith('names.csv, row 2: "decision" is no table (did you mean "decisions"?)')
    assert 'row 3: "opend_at" is no column of decisions (did you mean "opened_at"?)' in lines[1]
    assert "row 4: units name: the name is blank" in lines[2]
    assert "row 6: units unit_id is named above already" in lines[3]


def test_a_mapped_table_or_column_that_is_not_there_is_told(odd_names, postgres, tmp_path):
    names = MAP | {("decisions", "advice"): "advise", ("tasks", ""): "claims.jobs"}
    with pytest.raises(InputError) as told:
        read_data(f"{postgres.url('small', schema='claims')}#{written(tmp_path / 'names.csv', names)}", RULES)
    assert 'there is no column "advise", which the map names for advice (did you mean "advice"?)' in str(told.value)
    assert "postgres[claims.jobs]: there is no such table or view" in str(told.value)


def test_times_stored_as_text_are_refused_with_every_column_and_the_mend(postgres, in_postgres):
    postgres.run(
        "CREATE SCHEMA text; CREATE TABLE text.decisions AS SELECT decision_id, unit_id, opened_at::text, "
        "decided_at::text, autonomy_level::text FROM public.decisions",
        "small",
    )
    with pytest.raises(InputError) as told:
        read_data(postgres.url("small", schema="text"), RULES)
    assert str(told.value).startswith(
        "postgres[text.decisions]: opened_at is string, wanted is a time; decided_at is string, wanted is a time; "
        "autonomy_level is string, wanted is a whole number."
    )
    assert "CREATE VIEW" in str(told.value)


@pytest.mark.parametrize("kind", SERVERS)
def test_broken_and_repeated_decisions_are_set_aside_whole_and_the_first_counts(kind, request):
    rows = """
        (SELECT * FROM (VALUES
          ('d1', ' a', timestamp '2026-07-01 10:00:00Z', timestamp '2026-07-01 11:00:00Z', 'pay', 3),
          ('d1', 'a', timestamp '2026-07-01 09:00:00Z', timestamp '2026-07-01 12:00:00Z', 'pay', 3),
          ('d2', 'a', timestamp '2026-07-02 10:00:00Z', timestamp '2026-07-02 09:00:00Z', 'N/A', 9),
          ('d3', '*', timestamp '2026-07-03 10:00:00Z', NULL, 'pay', 1),
          ('d4', 'a', timestamp '2026-07-04 10:00:00Z', NULL, 'pay', NULL))
          AS t(decision_id, unit_id, opened_at, decided_at, advice, autonomy_level))
    """
    server = request.getfixturevalue(kind)
    if kind == "postgres":
        server.run("CREATE DATABASE bad")
        server.run(f"CREATE TABLE decisions AS {rows}", "bad")
        url = server.url("bad", schema="public")
    else:
        server.sql("CREATE DATABASE bad")
        server.sql(f"CREATE TABLE bad.decisions USING parquet AS {rows}")
        url = "spark:///bad"
    data = read_data(url, RULES)
    assert data.counts.iloc[0].tolist() == ["decisions", 5, 2, 3, 0]
    kept = data.decisions.order_by("decision_id").to_pandas()
    assert kept["decision_id"].tolist() == ["d1", "d4"]
    assert kept["opened_at"].iloc[0] == pd.Timestamp("2026-07-01 09:00")
    left = data.quarantine["decisions"].sort_values("rule", ignore_index=True)
    assert left["rule"].tolist() == [
        "autonomy_level is above 4; decided_at is before opened_at",
        "same decision_id as another row",
        "unit_id `*` stands for the organisation",
    ]
    assert left["decision_id"].tolist() == ["d2", "d1", "d3"]
    assert left["value"].tolist()[1:] == ["d1", "*"]
    assert left["unit_id"].iloc[1] == " a" and (left["row"] == "").all()
    assert check(url).quarantined == 3


def test_people_are_hashed_alike_everywhere(in_postgres, small_data):
    there = read_data(in_postgres, RULES).decisions.select("decider_id").distinct().to_pandas()["decider_id"]
    here = small_data.decisions.select("decider_id").distinct().to_pandas()["decider_id"]
    assert set(there.dropna()) == set(here.dropna()) and here.notna().sum() > 20
    assert there.dropna().str.fullmatch(r"[0-9a-f]{12}").all()


def test_a_database_without_a_table_of_ours_says_what_to_do(postgres):
    postgres.run("CREATE DATABASE nothing")
    with pytest.raises(InputError, match=r"no table there is one of .* \(--map\)"):
        read_data(postgres.url("nothing"), RULES)


def test_an_address_and_its_map_read_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_location("postgres://h/x", Path("names.csv")) == f"postgres://h/x#{tmp_path}/names.csv"
    assert absolute_location("postgres://h/x#names.csv") == f"postgres://h/x#{tmp_path}/names.csv"
    assert absolute_location("postgres://h/x") == "postgres://h/x"
    assert absolute_location("data") == f"{tmp_path}/data" and absolute_location("") == ""


def test_an_address_that_is_none_is_told():
    with pytest.raises(UsageError, match=r"postgres://: this is no address \(Port could not"):
        read_data("postgres://host:fast/x", RULES)


def test_a_map_goes_with_a_database(tmp_path):
    done = run("check", SAMPLE, "--map", written(tmp_path / "names.csv", {}))
    assert done.returncode == 2
    assert "a map goes with a database" in done.stderr


def test_a_kind_of_database_that_is_not_known_is_refused():
    with pytest.raises(UsageError, match=r"oracle:// is not read\. .* duckdb, postgres, postgresql, spark"):
        read_data("oracle://host/x", RULES)


# Text, times and views as databases have them ------------------------------------------------------------------

LOGGED = """
    SELECT ('d' || g)::{text} AS decision_id, (CASE WHEN g % 3 = 0 THEN 'IT' ELSE 'it' END)::{text} AS unit_id,
      timestamp '2026-05-01' + g * interval '1 hour' AS opened_at,
      timestamp '2026-05-01' + g * interval '1 hour' + interval '5 min' AS decided_at,
      ('p' || g % 20)::{text} AS decider_id, 'pay'::{text} AS final_decision, 'pay'::{text} AS correct_decision,
      'yes'::{text} AS context_complete FROM generate_series(1, 199) AS g
"""


@pytest.fixture(scope="session")
def kinds(postgres: Server) -> Server:
    """A database with kinds of text of its own."""
    postgres.run("CREATE DATABASE kinds")
    postgres.run(
        """
        CREATE EXTENSION citext;
        CREATE DOMAIN folded AS citext;
        CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TYPE words AS ENUM ('it', 'IT', 'pay', 'yes');
        """,
        "kinds",
    )
    return postgres


@pytest.mark.parametrize(
    "kind",
    ["citext", "char(10)", "varchar(12)", "name", "bpchar", "folded", 'text COLLATE "alike"', "text", "text NOT NULL"],
)
def test_every_kind_of_text_compares_sign_for_sign_and_used_is_measured(kind, kinds):
    """133 of 199 decisions are of `it`; `IT` is another, and no unit."""
    typed, cast = kind, kind.removesuffix(" NOT NULL").partition(" COLLATE ")[0]
    kinds.run(
        f"""
        DROP TABLE IF EXISTS public.units, public.decisions;
        CREATE TABLE units (unit_id {typed}, name text, headcount numeric(10, 2));
        INSERT INTO units VALUES ('it', 'Information technology', 40), ('hr', 'People', 20);
        CREATE TABLE decisions (decision_id {typed}, unit_id {typed}, opened_at timestamp, decided_at timestamp,
          decider_id {typed}, final_decision {typed}, correct_decision {typed}, context_complete {typed});
        INSERT INTO decisions {LOGGED.format(text=cast)};
        """,
        "kinds",
    )
    data = read_data(kinds.url("kinds", schema="public"), RULES)
    assert list(data.units["unit_id"]) == ["hr", "it"]
    counts = data.counts.set_index("table").loc["decisions", ["read", "used", "quarantined"]]
    assert counts.tolist() == [199, 133, 66]
    assert set(data.quarantine["decisions"]["rule"]) == {"unit_id is not in the table units"}
    measured = decisions.measure(data, RULES)
    speed = measured[(measured["measure"] == "decision_speed_p50") & (measured["segment"] == "all")]
    assert speed.set_index("unit_id").loc[["*", "it"], ["value", "n"]].values.tolist() == [[300, 133], [300, 133]]
    labels = measured[(measured["measure"] == "label_coverage") & (measured["segment"] == "all")]
    assert labels.set_index("unit_id").loc["it", ["value", "n"]].tolist() == [1, 133]


def test_enumerations_identifiers_and_materialized_views_are_read(kinds):
    kinds.run(
        """
        CREATE SCHEMA views;
        CREATE TABLE views.log AS SELECT gen_random_uuid() AS decision_id, 'it'::words AS unit_id,
          timestamptz '2026-05-01 10:00+02' AS opened_at, 'pay'::words AS final_decision, 2::numeric AS autonomy_level,
          'pay'::char(6) AS correct_decision FROM generate_series(1, 30);
        CREATE MATERIALIZED VIEW views.decisions AS SELECT * FROM views.log;
        """,
        "kinds",
    )
    data = read_data(kinds.url("kinds", schema="views"), RULES)
    assert data.counts.iloc[0].tolist() == ["decisions", 30, 30, 0, 0]
    rows = data.decisions.to_pandas()
    assert set(rows["unit_id"]) == {"it"} and set(rows["final_decision"]) == set(rows["correct_decision"]) == {"pay"}
    assert rows["decision_id"].str.fullmatch(r"[0-9a-f-]{36}").all() and set(rows["autonomy_level"]) == {2}


def test_infinite_and_far_times_and_numbers_are_set_aside(kinds):
    kinds.run(
        """
        CREATE SCHEMA beyond;
        CREATE TABLE beyond.decisions AS SELECT * FROM (VALUES
          ('d1', 'it', timestamp '2026-05-01 10:00', timestamp '2026-05-01 11:00', 0.5::numeric),
          ('d2', 'it', 'infinity', '2026-05-01', 0.5), ('d3', 'it', '2026-05-02', 'infinity', 0.5),
          ('d4', 'it', '-infinity', NULL, 0.5), ('d5', 'it', '294276-01-01', NULL, 'NaN'),
          ('d6', 'it', '0044-03-15 BC', NULL, 0.5), ('d7', 'it', '2026-05-03', NULL, 'Infinity'),
          ('d8', 'it', '2026-05-03', NULL, 'NaN'))
          AS t(decision_id, unit_id, opened_at, decided_at, advice_confidence);
        CREATE TABLE beyond.initiatives AS SELECT * FROM (VALUES
          ('i1', 'it', 'A', 'pilot', 1.5::numeric, 2.5::float8, date '2026-05-11', timestamptz '2026-05-11 10:00+02'),
          ('i2', 'it', 'B', 'pilot', 'NaN', 'NaN', '2026-05-11', 'infinity'),
          ('i3', 'it', 'C', 'pilot', 'Infinity', 1, '2026-05-11', '2026-05-11'),
          ('i4', 'it', 'D', 'pilot', 1, '-Infinity', '5874897-01-01', '2026-05-11'),
          ('i5', 'it', 'E', 'pilot', 1, 1, '0044-03-15 BC', '2026-05-11'),
          ('i6', 'it', 'F', 'pilot', 'NaN', 'NaN', '2026-05-12', NULL))
          AS t(initiative_id, unit_id, name, stage, baseline, target, pilot_on, deadline);
        """,
        "kinds",
    )
    data = read_data(kinds.url("kinds", schema="beyond"), RULES)
    assert data.counts[["table", "read", "used", "quarantined"]].values.tolist() == [
        ["initiatives", 6, 2, 4], ["decisions", 8, 2, 6],
    ]  # fmt: skip
    kept = data.tables["initiatives"].set_index("initiative_id")
    assert kept.loc["i1", ["baseline", "target"]].tolist() == [1.5, 2.5] and kept["baseline"].isna().tolist() == [
        False,
        True,
    ]
    assert data.quarantine["initiatives"]["value"].tolist() == [
        "infinity", "Infinity", "-Infinity; 5874897-01-01", "0044-03-15 BC",
    ]  # fmt: skip
    left = data.quarantine["decisions"].set_index("decision_id")["value"]
    assert left.to_dict() == {
        "d2": "infinity; 2026-05-01 00:00:00", "d3": "infinity", "d4": "-infinity", "d5": "294276-01-01 00:00:00",
        "d6": "0044-03-15 00:00:00 BC", "d7": "Infinity",
    }  # fmt: skip
    assert data.as_of == pd.Timestamp("2026-05-12").date()
    speed = decisions.measure(data, RULES).query("measure == 'decision_speed_p50' and unit_id == '*'")["value"]
    assert speed.dropna().tolist() == [3600]


def test_text_of_fixed_length_or_without_regard_to_case_compares_alike_in_spark(spark):
    spark.sql("CREATE DATABASE kinds")
    columns = "decision_id {0}, unit_id {0}, opened_at TIMESTAMP, final_decision {0}, correct_decision {0}"
    spark.sql(f"CREATE TABLE kinds.decisions ({columns.format('CHAR(10)')}) USING parquet")
    spark.sql("INSERT INTO kinds.decisions SELECT concat('d', id), if(id % 3 = 0, 'IT', 'it'), timestamp '2026-05-01', "
              "'pay', 'pay' FROM range(1, 61)")  # fmt: skip
    spark.sql("CREATE VIEW kinds.units AS SELECT 'it' AS unit_id, 'Information technology' AS name")
    data = read_data("spark:///kinds", RULES)
    assert data.counts.set_index("table").loc["decisions", ["used", "quarantined"]].tolist() == [40, 20]
    assert set(data.decisions.to_pandas()["correct_decision"]) == {"pay"}
    spark.sql("CREATE DATABASE folded")
    spark.sql("CREATE VIEW folded.decisions AS SELECT decision_id, collate(unit_id, 'UTF8_LCASE') AS unit_id, "
              "opened_at FROM kinds.decisions")  # fmt: skip
    spark.sql("CREATE VIEW folded.units AS SELECT * FROM kinds.units")
    assert read_data("spark:///folded", RULES).counts.set_index("table").loc["decisions", "used"] == 40


# At full size --------------------------------------------------------------------------------------------


@pytest.mark.acceptance
@pytest.mark.parametrize("kind", ["postgres", "spark"])
def test_every_result_of_the_whole_sample_is_the_same(kind, request, tmp_path):
    folder = in_key_order(SAMPLE, tmp_path / "data")
    server = request.getfixturevalue(kind)
    url = (fill_postgres if kind == "postgres" else fill_spark)(server, "whole", folder)
    Assessment.open(folder).save(tmp_path / "here")
    Assessment.open(url).save(tmp_path / "there")
    assert_same_results(tmp_path / "there", tmp_path / "here")
    measures = [pd.read_parquet(tmp_path / at / "measures.parquet") for at in ("there", "here")]
    keys = ["unit_id", "wave", "measure", "segment", "barrier_id"]
    both = measures[0].merge(measures[1], on=keys, suffixes=("_there", "_here"))
    apart = (both["value_there"] - both["value_here"]).abs() / both["value_here"].abs().clip(lower=1)
    read = pd.read_parquet(tmp_path / "there" / "counts.parquet").set_index("table").loc["decisions", "read"]
    sys.stdout.write(f"\n{kind}: {read} decisions, {len(both)} measures, largest difference {np.nanmax(apart):.1e}\n")
    assert len(both) > 14_000 and np.nanmax(apart) < 1e-9
