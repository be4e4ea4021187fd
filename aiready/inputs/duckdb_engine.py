"""The DuckDB inside this process: it reads the files it was opened for, and is then locked.

A view of a DuckDB file may name any file of this machine, or ask for an extension from the network. After the lock the
engine opens nothing but the named files and its own scratch folder, and nothing can undo it.
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
ALONE = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
}
"""Nothing is downloaded, nothing loaded, and no credentials of the user are at hand."""
_SCRATCH, _A_DAY = "aiready-engine-", 86_400
_LONGEST = 200
"""Signs of what the engine says that a message repeats."""


def connect() -> Backend:
    """A DuckDB of its own, in memory up to a limit and beyond it on disk, in a folder only its owner may enter."""
    try:
        _sweep(Path(tempfile.gettempdir()))
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    except OSError as problem:
        raise InfrastructureError(
            f"{problem.filename or 'TMPDIR'}: cannot be written ({problem.strerror}). Set TMPDIR to a folder with room."
        ) from problem
    try:
        engine = ibis.duckdb.connect(
            threads=min(4, os.cpu_count() or 1), memory_limit="3GB", temp_directory=str(scratch), **ALONE
        )
        weakref.finalize(engine, _remove, scratch, os.getpid())
    except BaseException:  # a stop, too
        _remove(scratch, os.getpid())
        raise
    engine.raw_sql("SET TimeZone = 'UTC'")  # naive times are UTC, whatever the machine says
    engine.raw_sql("SET enable_progress_bar = false")  # it goes to stdout, where --json and notebooks speak
    return engine


def _sweep(folder: Path) -> None:
    """Take away empty folders of runs that were killed more than a day ago; whatever else has the name stays."""
    with suppress(OSError):
        for left in folder.glob(f"{_SCRATCH}*"):
            with suppress(OSError):
                if left.lstat().st_mtime < time.time() - _A_DAY:
                    left.rmdir()


def _remove(scratch: Path, maker: int) -> None:
    if os.getpid() == maker:  # a forked child leaves its parent's folder alone
        shutil.rmtree(scratch, ignore_errors=True)


def lock(engine: Backend, files: Iterable[Path], database: Path | None = None) -> None:
    """Let the engine open these files and no other, now and later; a database file is attached to be read only.

    Raises
    ------
    InputError
        The database file cannot be read.
    """
    if database is not None:
        try:
            engine.con.execute(f"ATTACH {_quoted(whole(database))} AS {DATABASE} (READ_ONLY, TYPE duckdb)")
        except duckdb.Error as problem:
            raise unreadable(database, problem) from problem
    paths = [whole(path) for path in files]
    allowed = dict.fromkeys([*paths, *map(_escaped, paths)])  # asked for is the pattern, opened is the file
    engine.con.execute(f"SET allowed_paths = [{', '.join(map(_quoted, allowed))}]")
    for setting in ("enable_external_access = false", "python_enable_replacements = false"):
        engine.con.execute(f"SET {setting}")
    engine.con.execute("SET lock_configuration = true")


def tables_of(path: Path) -> list[tuple[str, str]]:
    """Schema and name of every table and view of a DuckDB file.

    Raises
    ------
    InputError
        It is no DuckDB file, or another program writes to it.
    """
    closed: dict[str, str | bool | int | float | list[str]] = {
        **ALONE,
        "enable_external_access": False,
        "lock_configuration": True,
    }
    try:
        with duckdb.connect(whole(path), read_only=True, config=closed) as database:
            listed = "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
            listed += "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
            return sorted(database.execute(listed).fetchall())
    except duckdb.Error as problem:
        raise unreadable(path, problem) from problem


def unreadable(path: Path, problem: duckdb.Error) -> InputError:
    """What to say of a file that is no DuckDB database, or is locked by another program."""
    why = "another program is writing to it" if "lock" in str(problem) else "it is no DuckDB file, or a damaged one"
    return InputError(f"{path}: cannot be read as a DuckDB database ({why}). Close it there, or export it again.")


def pattern(path: Path) -> str:
    """A path as the engine takes it: there `*`, `?` and `[` stand for other signs.

    Raises
    ------
    InputError
        The path holds a backslash beside one of them, and then means no file.

    Examples
    --------
    >>> pattern(Path("/data/q[12]/decisions.parquet"))
    '/data/q[[]12]/decisions.parquet'
    """
    text = whole(path)
    if "\\" in text and _escaped(text) != text:
        raise InputError(f"{path.name}: a backslash and one of [ * ? stand in its path {text}. Rename the folder.")
    return _escaped(text)


def whole(path: Path) -> str:
    """A path from the root; a link stays a link, as messages name it."""
    return os.path.abspath(path)  # noqa: PTH100 - `resolve` would follow links


def _escaped(path: str) -> str:
    return re.sub(r"[*?\[]", lambda sign: f"[{sign[0]}]", path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def telling(file: str) -> Iterator[None]:
    """Say in a sentence why a stored table cannot be read.

    Raises
    ------
    InputError
        In place of what the engine raises.
    """
    try:
        yield
    except duckdb.PermissionException as problem:
        raise InputError(
            f"{file}: it reads a file outside the database, or asks for one on the network, and that is closed. "
            "Store the rows as a table of the database file."
        ) from problem
    except duckdb.Error as problem:
        why = str(problem).splitlines()[0][:_LONGEST]
        raise InputError(f"{file}: cannot be read ({why}). Mend the view or table, or export it again.") from problem
