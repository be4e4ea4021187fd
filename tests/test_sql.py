"""The SQL for servers that are not here: whatever a decision log is asked compiles for every kind of database."""

import dataclasses

import ibis
import pytest
from conftest import SAMPLE
from ibis.backends.duckdb import Backend

from aiready.inputs import decision_log
from aiready.inputs.dataset import read_data
from aiready.inputs.files import FILE
from aiready.instrument.model import read_instrument
from aiready.measures import decisions
from aiready.model.schema import TABLES

DIALECTS = ("postgres", "pyspark")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """What the sample holds, and its decision log as a table of an engine that knows nothing of files."""
    data = read_data(SAMPLE, read_instrument())
    path = tmp_path_factory.mktemp("log") / "decisions.parquet"
    data.decisions.to_pandas().to_parquet(path, index=False)
    return dataclasses.replace(data, decisions=ibis.duckdb.connect().read_parquet(path))


@pytest.fixture
def questions(monkeypatch):
    """Every expression that DuckDB has answered since."""
    asked = []

    def listened(answer):
        def answered(self, expr, /, *args, **others):
            asked.append(expr)
            return answer(self, expr, *args, **others)

        return answered

    for name in ("execute", "to_pyarrow"):
        monkeypatch.setattr(Backend, name, listened(getattr(Backend, name)))
    return asked


def compiled(questions, dialect):
    """SQL of every question, with no server to ask for the types of its tables."""
    getattr(ibis, dialect)  # makes the options of that dialect known
    return [str(ibis.to_sql(question.unbind(), dialect=dialect)) for question in questions]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_figure_of_a_log_is_sql_there(stored, questions, dialect):
    assert len(decisions.measure(stored, read_instrument())) > 1000
    written = compiled(questions, dialect)
    assert len(set(written)) > 2
    assert all(sql.startswith(("SELECT", "WITH")) for sql in written)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_check_of_a_log_is_sql_there(stored, questions, dialect):
    raw = stored.decisions.mutate(**{FILE: ibis.literal("decisions")})
    if dialect == "postgres":
        raw = raw.drop("decider_id")  # hashed by a function that only PostgreSQL has: see test_warehouses.py
    before = (raw["opened_at"] - ibis.interval(days=1)).cast(raw["decided_at"].type())
    again = raw.limit(3)  # rows that are there twice, and rows that break a rule
    broken = raw.limit(3).mutate(decision_id=ibis.literal("one"), decided_at=before)
    names = {"unit_id": list(stored.units["unit_id"])}
    log = decision_log.check_remote_log(TABLES["decisions"], raw.union(again).union(broken), names)
    assert len(log.quarantine) == 6
    written = compiled([*questions, log.rows], dialect)
    assert len(set(written)) > 4
    assert all(sql.startswith(("SELECT", "WITH")) for sql in written)


def test_a_question_that_has_no_sql_there_is_seen(stored):
    with pytest.raises(ibis.common.exceptions.OperationNotDefinedError):
        compiled([stored.decisions["decider_id"].hexdigest("sha256")], "postgres")
