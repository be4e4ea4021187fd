"""Replace identities by pseudonyms: a keyed hash, which cannot be checked against names without the key."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from platformdirs import user_config_path

from aiready.collection.survey_import.files import Export
from aiready.errors import InfrastructureError, UsageError
from aiready.model.cell_values import BLANK_WORDS

KEY = "respondents.key"
_KEY_BYTES, _CODE_DIGITS = 32, 16
_ANONYMOUS = (*BLANK_WORDS, "anonymous", "anonym", "anónimo", "anonyme", "anonimo", "anônimo", "anoniem", "anonimowy")
_MOST_SHEETS = 3
"""Most rows that one person may have sent; a code in more rows is not one person's."""
_SHEETS_EACH = 2
_TIME_OF_DAY = r"\d:\d\d:\d\d"


def default_key() -> Path:
    """Default path of the key: in the user's settings, never in a data folder."""
    return user_config_path("aiready", appauthor=False) / KEY


def read_key(path: Path, data: Path) -> bytes | None:
    """Read the key; None where there is none yet.

    Raises
    ------
    UsageError
        The file is in the data folder, others may read it, or it is not a key.
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
    """A new random key."""
    return secrets.token_bytes(_KEY_BYTES)


def write_key(path: Path, key: bytes) -> None:
    """Write a new key, readable by its owner only; an existing file is never replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.hex() + "\n")
    except OSError as error:
        raise InfrastructureError(
            f"{path}: the key cannot be written ({error.strerror}). Name another place."
        ) from error


@dataclass(frozen=True)
class SharedCodes:
    """A column of persons in which `codes` codes occur in several rows, the commonest in `rows` rows."""

    heading: str
    codes: int
    rows: int


@dataclass(frozen=True)
class Identities:
    """Identity of each answer sheet, and columns whose codes do not seem to stand for one person each."""

    codes: pd.Series
    shared: tuple[SharedCodes, ...] = ()


def identify(export: Export, person_positions: Collection[int] = ()) -> Identities:
    """Identify each answer sheet: by its person where the file names one, else by its number, else by all its cells.

    A code in more than three rows is not a person, but a mailbox, a department or a shared link; so is every code of
    a column whose codes occur in two rows or more on average. Columns that the map calls `person` are not questioned.

    Parameters
    ----------
    export, person_positions
        The file, and the columns that the map calls `person`.
    """
    rows = export.rows
    person = pd.Series("", rows.index)
    shared = []
    for position in [
        *person_positions,
        *(position for position in export.positions_of("person") if position not in person_positions),
    ]:
        codes = rows[str(position)].str.casefold()
        codes = codes.mask(codes.isin(_ANONYMOUS), "")
        counts = codes[codes.ne("")].value_counts()
        shared_codes = _shared_codes(counts)
        if len(shared_codes):
            shared.append(SharedCodes(export.name(position), int((counts > 1).sum()), int(counts.iloc[0])))
        if position not in person_positions:
            codes = codes.mask(codes.isin(shared_codes), "")
        person = person.mask(person.eq(""), codes)
    is_named = person.ne("")
    return Identities(("person " + person).where(is_named, "sheet " + _sheets(export)), tuple(shared))


def _shared_codes(counts: pd.Series) -> pd.Index:
    """Codes that occur in too many rows to be a person's, from the number of rows of each code."""
    many = counts.sum() - len(counts) >= _MOST_SHEETS and counts.mean() >= _SHEETS_EACH
    return counts.index if many else counts.index[counts > _MOST_SHEETS]


def _sheets(export: Export) -> pd.Series:
    """Identity of each answer sheet: the tool's number of it, else all its cells.

    Rows with equal cells are one sheet sent twice if they hold a time of day; without one they may be two people with
    equal answers, so they count as two sheets.
    """
    response = _joined(export.rows, export.positions_of("response"))
    sheets = response + _joined(export.rows, export.positions_of("part-of-response"))
    unnumbered = response.str.strip("|").eq("")
    if not unnumbered.any():
        return sheets
    rows = export.rows[unnumbered]
    cells = _joined(rows, [heading.position for heading in export.headings])
    timed = pd.Series(False, rows.index)
    for position in export.positions_of("date", "submitted", "part-of-response"):
        timed |= rows[str(position)].str.contains(_TIME_OF_DAY)
    earlier_equals = cells.groupby(cells).cumcount()
    sheets[unnumbered] = cells.where(timed | earlier_equals.eq(0), cells + "#" + earlier_equals.astype(str))
    return sheets


def _joined(rows: pd.DataFrame, positions: list[int]) -> pd.Series:
    joined = pd.Series("", rows.index)
    for position in positions:
        joined = joined + "|" + rows[str(position)]
    return joined


def pseudonyms(identities: pd.Series, wave: str, key: bytes) -> pd.Series:
    """Pseudonyms of identities: the first sixteen hex digits of the HMAC-SHA256 of wave and identity.

    They include the wave, so that nobody can be followed from one wave to the next.
    """
    start = hmac.new(key, wave.encode() + b"\0", hashlib.sha256)
    digests = []
    for identity in identities:
        one = start.copy()
        one.update(identity.encode())
        digests.append(one.hexdigest()[:_CODE_DIGITS])
    return pd.Series(digests, identities.index, dtype=object)
