"""Where data are: a folder or file, or the address of a database with the file that maps its names."""

from dataclasses import dataclass
from pathlib import Path

from aiready.errors import UsageError


@dataclass(frozen=True)
class Address:
    """Address of a database and, optionally, the file that maps its names to ours: `URL#FILE`."""

    url: str
    map: Path | None = None

    @property
    def scheme(self) -> str:
        """Kind of database: `duckdb`, `postgres`, `spark`."""
        return self.url.partition("://")[0]


def parse_address(location: str | Path) -> Address | None:
    """Address of a database; None for a folder or file."""
    if "://" not in str(location):
        return None
    url, _, map_file = str(location).partition("#")
    return Address(url, Path(map_file) if map_file else None)


def absolute_location(location: str, map_file: Path | None = None) -> str:
    """A location that is valid in any working folder: the absolute path, or the address with its map."""
    return (
        with_map(location, map_file)
        if parse_address(location) or map_file or not location
        else str(Path(location).resolve())
    )


def with_map(location: str, map_file: Path | None) -> str:
    """A database address with its map.

    Raises
    ------
    UsageError
        The location is no database.
    """
    address = parse_address(location)
    if address and (map_file or address.map):
        return f"{address.url}#{(map_file or address.map or Path()).resolve()}"
    if map_file is not None:
        raise UsageError(f"{location}: a map goes with a database, and this is none. Rename columns in the files.")
    return location


def instrument_folder(location: str | Path) -> Path | None:
    """Folder `instrument` inside a data folder, which replaces the shipped one; None without one.

    The data folder of a database is the folder of its map.
    """
    address = parse_address(location)
    if address is not None and address.map is None:
        return None
    folder = (address.map.parent if address and address.map else Path(location)) / "instrument"
    return folder if folder.is_dir() else None
