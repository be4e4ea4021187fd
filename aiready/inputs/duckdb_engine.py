"""Start a DuckDB inside this process and lock it, so that it opens only the files it is meant to read.

A view in a DuckDB file may name any file of this machine, or load an extension from the network. Once locked, the
engine opens nothing but the listed files and its own scratch folder, and nothing can unlock it.
"""

import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from aiready.errors import InfrastructureError, InputError

DATABASE = "warehouse"
"""Name of an attached database file."""
ISOLATED_SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
}
"""Nothing is downloaded or loaded, and credentials of the user are not available."""
_SCRATCH, _DAY_SECONDS = "aiready-engine-", 86_400
_MAX_CHARACTERS = 200
"""Length of an error of the engine that a message repeats."""


def connect() -> Backend:
    """A new DuckDB in memory, which beyond a limit spills to a scratch folder that only its owner may enter."""
    try:
        _remove_old_scratch(Path(tempfile.gettempdir()))
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    except OSError as problem:
        raise InfrastructureError(
            f"{problem.filename or 'TMPDIR'}: cannot be written ({problem.strerror}). Set TMPDIR to a folder with room."
        ) from problem
    try:
        engine = ibis.duckdb.connect(
            threads=min(4, os.cpu_count() or 1), memory_limit="3GB", temp_directory=str(scratch), **ISOLATED_SETTINGS
        )
        weakref.finalize(engine, _remove, scratch, os.getpid())
    except BaseException:  # a stop, too
        _remove(scratch, os.getpid())
        raise
    engine.raw_sql("SET TimeZone = 'UTC'")  # naive times are UTC, whatever the machine says
    engine.raw_sql("SET enable_progress_bar = false")  # it goes to stdout, where --json and notebooks speak
    engine.raw_sql("SET disabled_optimizers = 'in_clause'")  # costs more than reading does where a row has 60 answers
    return engine


def _remove_old_scratch(folder: Path) -> None:
    """Remove empty scratch folders of runs that were killed more than a day ago."""
    with suppress(OSError):
        for scratch in folder.glob(f"{_SCRATCH}*"):
            with suppress(OSError):
                if scratch.lstat().st_mtime < time.time() - _DAY_SECONDS:
                    scratch.rmdir()


def _remove(scratch: Path, maker: int) -> None:
    if os.getpid() == maker:  # a forked child leaves its parent's folder alone
        shutil.rmtree(scratch, ignore_errors=True)


def lock(engine: Backend, files: Iterable[Path], database: Path | None = None) -> None:
    """Let the engine open these files and no others from now on; a database file is attached read-only.

    Raises
    ------
    InputError
        The database file cannot be read.
    """
    if database is not None:
        try:
            engine.con.execute(f"ATTACH {_quote(absolute_path(database))} AS {DATABASE} (READ_ONLY, TYPE duckdb)")
        except duckdb.Error as problem:
            raise unreadable(database, problem) from problem
    paths = [absolute_path(path) for path in files]
    allowed = dict.fromkeys(
        [*paths, *map(_escape_glob, paths)]
    )  # the query names the pattern, the engine opens the file
    engine.con.execute(f"SET allowed_paths = [{', '.join(map(_quote, allowed))}]")
    for setting in ("enable_external_access = false", "python_enable_replacements = false"):
        engine.con.execute(f"SET {setting}")
    engine.con.execute("SET lock_configuration = true")


def list_tables(path: Path) -> list[tuple[str, str]]:
    """Schema and name of every table and view of a DuckDB file.

    Raises
    ------
    InputError
        It is no DuckDB file, or another program is writing to it.
    """
    closed: dict[str, str | bool | int | float | list[str]] = {
        **ISOLATED_SETTINGS,
        "enable_external_access": False,
        "lock_configuration": True,
    }
    try:
        with duckdb.connect(absolute_path(path), read_only=True, config=closed) as database:
            query = "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
            query += "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
            return sorted(database.execute(query).fetchall())
    except duckdb.Error as problem:
        raise unreadable(path, problem) from problem


def unreadable(path: Path, problem: duckdb.Error) -> InputError:
    """Error for a file that is no DuckDB database, or that another program has locked."""
    why = "another program is writing to it" if "lock" in str(problem) else "it is no DuckDB file, or a damaged one"
    return InputError(f"{path}: cannot be read as a DuckDB database ({why}). Close it there, or export it again.")


def glob_pattern(path: Path) -> str:
    """A path as a pattern of the engine, in which `*`, `?` and `[` have to be escaped.

    Raises
    ------
    InputError
        The path holds a backslash and one of them: no pattern matches such a file.

    Examples
    --------
    >>> glob_pattern(Path("/data/q[12]/decisions.parquet"))
    '/data/q[[]12]/decisions.parquet'
    """
    text = absolute_path(path)
    if "\\" in text and _escape_glob(text) != text:
        raise InputError(f"{path.name}: a backslash and one of [ * ? stand in its path {text}. Rename the folder.")
    return _escape_glob(text)


def absolute_path(path: Path) -> str:
    """Absolute path; links are not followed, so that messages name them."""
    return os.path.abspath(path)  # noqa: PTH100 - `resolve` would follow links


def _escape_glob(path: str) -> str:
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", path)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def duckdb_errors(file: str) -> Iterator[None]:
    """Turn exceptions of DuckDB into one sentence on why a stored table cannot be read.

    Raises
    ------
    InputError
        In place of whatever DuckDB raised.
    """
    try:
        yield
    except duckdb.PermissionException as problem:
        raise InputError(
            f"{file}: it reads a file outside the database, or asks for one on the network, and that is closed. "
            "Store the rows as a table of the database file."
        ) from problem
    except duckdb.Error as problem:
        why = str(problem).splitlines()[0][:_MAX_CHARACTERS]
        raise InputError(f"{file}: cannot be read ({why}). Mend the view or table, or export it again.") from problem
