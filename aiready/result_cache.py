"""Cache protected results in a private folder of the user, so that notebooks open at once."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
from platformdirs import user_cache_path
from pyarrow import feather

from aiready.atomic_files import digest, file_digest, folder_digest, make_private_folder
from aiready.errors import InfrastructureError
from aiready.package_files import dependency_digest, package_digest, package_file

FOLDER_VARIABLE = "AIREADY_MEMORY"
"""Environment variable with the folder of the cache; default: the user's cache folder."""
SHIPPED = "data/instrument"
"""The instrument that fills in what another one lacks."""
MAX_RESULTS = 4
"""Results in the cache, and versions of each part; the oldest are removed first."""


def cache_folder() -> Path:
    """The private folder of the cache (mode 0700); made when absent.

    Raises
    ------
    InfrastructureError
        It cannot be made.
    """
    return make_private_folder(Path(os.environ.get(FOLDER_VARIABLE) or user_cache_path("aiready", appauthor=False)))


def entry_path(location: str | Path, instrument: Path, as_of: str) -> Path | None:
    """Where results of these inputs are cached, present or not; None for data that are no file or folder.

    The key is made of the content of the inputs and of the package, so that it changes with every edit and upgrade.
    """
    data = Path(location)
    if not data.exists():
        return None
    parts = [as_of, package_digest(), dependency_digest()]
    for path in (*_files(data), *_files(instrument), *_files(package_file(SHIPPED))):
        parts += [path.name, file_digest(path)]
    try:
        return cache_folder() / f"results-{digest(*parts)}"
    except InfrastructureError:
        return None


def store(folder: Path, entry: Path) -> None:
    """Move a finished folder into the cache and remove the oldest of its kind; an entry that is there already stays."""
    try:
        folder.rename(entry)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
    kind = entry.name.rpartition("-")[0]
    entries = sorted(entry.parent.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[MAX_RESULTS:]:
        shutil.rmtree(old, ignore_errors=True)


class CachedParts:
    """Protected tables that a part of the data determines, each under a digest of all that they are computed from.

    So a save in one table leaves the parts of the others as they are. `instrument`: its folder.
    """

    def __init__(self, instrument: Path):
        folders = map(folder_digest, (instrument, package_file(SHIPPED)))
        self.rules = digest(package_digest(), dependency_digest(), *folders)

    def recall(
        self, name: str, inputs: Iterable[pd.DataFrame], texts: str, compute: Callable[[], dict[str, pd.DataFrame]]
    ) -> dict[str, pd.DataFrame]:
        """The tables of a part; computed and stored where that has not been done with these inputs and texts."""
        key = digest(self.rules, texts, *map(_table_digest, inputs))
        entry = cache_folder() / f"part-{name}-{key}"
        if entry.exists():
            with suppress(OSError, ValueError):
                return {path.stem: feather.read_table(path).to_pandas() for path in entry.iterdir()}
            remove(entry)
        tables = compute()
        temporary = entry.with_name(f".{entry.name}-{os.getpid()}")
        with suppress(OSError, InfrastructureError):  # a full disk: it is computed again next time
            make_private_folder(temporary)
            for table_name, table in tables.items():
                feather.write_feather(table, str(temporary / f"{table_name}.feather"))
            store(temporary, entry)
        shutil.rmtree(temporary, ignore_errors=True)
        return tables


def _table_digest(table: pd.DataFrame) -> bytes:
    """Digest of a table's columns, types and rows, in their order."""
    names = repr([(name, str(dtype)) for name, dtype in table.dtypes.items()])
    hashes: bytes = pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()
    return names.encode() + hashes


def remove(entry: Path) -> None:
    """Remove results that cannot be read any more."""
    shutil.rmtree(entry, ignore_errors=True)


def _files(location: Path) -> Iterator[Path]:
    if location.is_file():
        yield location
        return
    for path in sorted(location.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(location).parts):
            yield path
