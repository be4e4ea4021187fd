"""Who answered -> a pseudonym: a keyed hash, so that nobody without the key can try names out against it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pandas as pd

from aiready.errors import InfrastructureError, UsageError
from aiready.exports.files import Export
from aiready.readers import ROW

KEY = "respondents.key"
_KEY_BYTES, _CODE_DIGITS = 32, 16
_NOBODY = ("", "anonymous", "anonym", "anónimo")


def default_key() -> Path:
    """Where the key lies unless told otherwise: in the user's own settings, never in a data folder."""
    settings = os.environ.get("XDG_CONFIG_HOME")
    return (Path(settings) if settings else Path.home() / ".config") / "aiready" / KEY


def read_key(path: Path, data: Path) -> bytes | None:
    """The key, or None where there is none yet.

    Raises
    ------
    UsageError
        It lies in the data folder, others may read it, or it is no key.
    """
    if path.resolve().is_relative_to(data.resolve()):
        raise UsageError(f"{path}: the key must lie outside the data folder, or whoever has the data has it. Move it.")
    if not path.exists():
        return None
    try:
        readable_by_others = path.stat().st_mode & 0o077
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as problem:
        raise UsageError(f"{path}: no key of aiready stands there ({problem}). Name another with --key.") from problem
    if readable_by_others:
        raise UsageError(f"{path}: others may read the key. Run: chmod 600 {path}")
    if len(key) < _KEY_BYTES:
        raise UsageError(f"{path}: the key is too short. Name another with --key, or remove it to have one made.")
    return key


def new_key() -> bytes:
    """A key nobody can guess."""
    return secrets.token_bytes(_KEY_BYTES)


def keep_key(path: Path, key: bytes) -> None:
    """Write a new key for its owner's eyes only; one that is there already is never replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.hex() + "\n")
    except OSError as error:
        raise InfrastructureError(
            f"{path}: the key cannot be written ({error.strerror}). Name another place."
        ) from error


def codes(export: Export, place: int | None) -> pd.Series:
    """What identifies each answer sheet: the person where the file names one, else the sheet, else its cells.

    Parameters
    ----------
    export, place
        The file, and the column that the map calls the respondent, if any.
    """
    rows = export.rows
    sheet = _joined(rows, export.placed("response", "part-of-response"))
    if not export.placed("response"):
        sheet = _joined(rows, [heading.place for heading in export.headings])
    person = pd.Series("", rows.index)
    for column in ([] if place is None else [place]) + export.placed("person"):
        given = rows[str(column)].str.casefold()
        person = person.mask(person.eq("") & ~given.isin(_NOBODY), given)
    named = person.ne("")
    return ("person " + person).where(named, "sheet " + sheet)


def _joined(rows: pd.DataFrame, places: list[int]) -> pd.Series:
    joined = pd.Series("", rows.index)
    for place in places:
        joined = joined + "|" + rows[str(place)]
    return joined if places else "row " + rows[ROW].astype(str)


def pseudonyms(identities: pd.Series, wave: str, key: bytes) -> pd.Series:
    """Sixteen hex digits in place of who answered: HMAC-SHA256 of wave and identity.

    The wave is part of it, so that nobody can be followed from one round to the next.
    """
    start = hmac.new(key, wave.encode() + b"\0", hashlib.sha256)
    digests = []
    for identity in identities:
        one = start.copy()
        one.update(identity.encode())
        digests.append(one.hexdigest()[:_CODE_DIGITS])
    return pd.Series(digests, identities.index, dtype=object)
