"""A PostgreSQL server and a Spark session that tests start themselves, and how tables come into them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

PROGRAMS = Path("/usr/lib/postgresql")
TYPES = {"VARCHAR": "text", "DOUBLE": "double precision", "TIMESTAMP_NS": "timestamp"}
"""What a column of a file becomes in PostgreSQL, where it is called otherwise there."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own: its socket lies in `folder`, and it listens on no network."""

    folder: Path

    def url(self, database: str, user: str = "owner", *, schema: str = "") -> str:
        return f"postgres://{user}@/{database}{'/' if schema else ''}{schema}?host={self.folder}"

    def run(self, sql: str, database: str = "postgres", content: bytes = b"") -> str:
        """Run statements as the owner; `content` is what COPY reads."""
        command = [
            self.program("psql"),
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.folder,
            "-U",
            "owner",
        ]
        done = subprocess.run([*command, "-d", database, "-c", sql], input=content, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    @staticmethod
    def program(name: str) -> Path:
        found = sorted(PROGRAMS.glob(f"*/bin/{name}"))
        assert found, f"{name} of PostgreSQL is not installed: run `make postgres`"
        return found[-1]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server in a folder of its own, run by a user without rights."""
    folder = Path(tempfile.mkdtemp(prefix="aiready-postgres-"))
    who = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, who["user"])
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/", **who}
    made = ["-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    subprocess.run([Server.program("initdb"), "-D", folder / "data", *made], **quiet)
    control = [Server.program("pg_ctl"), "-D", folder / "data", "-w", "-m", "immediate"]
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*control, "-l", folder / "log", "-o", settings, "start"], **quiet)
    try:
        yield Server(folder)
    finally:
        subprocess.run([*control, "stop"], **quiet)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A local Spark session with an empty warehouse; started once."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # little to do: start fast
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "America/New_York",  # it is our task to read times as UTC
    }
    builder = SparkSession.builder.master("local[2]").appName("aiready-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def tables(folder: Path) -> dict[str, duckdb.DuckDBPyRelation]:
    """The tables of a data folder, typed as DuckDB takes them to be; times in microseconds."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".csv", ".parquet") and path.stem != "about":
            given = duckdb.sql(f"FROM '{path}'")
            kinds = dict(zip(given.columns, map(str, given.types), strict=True))
            micro = [f'"{name}"::TIMESTAMP AS "{name}"' for name, kind in kinds.items() if kind == "TIMESTAMP_NS"]
            found[path.stem] = given.project(f"* REPLACE ({', '.join(micro)})") if micro else given
    return found


def fill_postgres(server: Server, database: str, folder: Path) -> str:
    """A new database with the tables of a data folder; its address."""
    server.run(f"CREATE DATABASE {database}")
    for name, rows in tables(folder).items():
        kinds = zip(rows.columns, map(str, rows.types), strict=True)
        columns = ", ".join(f'"{column}" {TYPES.get(kind, kind)}' for column, kind in kinds)
        written = folder.parent / f"{database}-{name}.csv"
        rows.write_csv(str(written), header=False, na_rep="")
        server.run(f"CREATE TABLE {name} ({columns})", database)
        server.run(f"COPY {name} FROM STDIN (FORMAT csv)", database, written.read_bytes())
        written.unlink()
    return server.url(database, schema="public")


def fill_spark(session, database: str, folder: Path) -> str:
    """A new database of the session over the tables of a data folder, as Parquet files beside it; its address."""
    session.sql(f"CREATE DATABASE {database}")
    for name, rows in tables(folder).items():
        written = folder.parent / f"{database}-{name}.parquet"
        rows.write_parquet(str(written))
        session.sql(f"CREATE TABLE {database}.{name} USING parquet LOCATION '{written}'")
    return f"spark:///{database}"


def fill_duckdb(path: Path, folder: Path) -> str:
    """A DuckDB file with the tables of a data folder; its address."""
    with duckdb.connect(path) as made:
        for source in folder.iterdir():
            if source.suffix in (".csv", ".parquet") and source.stem != "about":
                made.execute(f"CREATE TABLE {source.stem} AS FROM '{source}'")
    return f"duckdb://{path}"
