"""Releases: what one run published of the survey, recorded for the runs after it.

A release records the contributors to each figure without identifying them: people and answers are digests that can be
computed only with the key of their wave (`release_keys`).
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.atomic_files import PART, file_stem, make_private_folder, sha256
from aiready.errors import InfrastructureError
from aiready.instrument.model import Instrument, Settings, wording_digests
from aiready.privacy.release_keys import (
    KEYS_FOLDER,
    answer_marks,
    answer_vectors,
    digests,
    ensure_key,
    read_keys,
    xor_keystream,
)

CELL = ["unit_id", "wave", "segment"]
PEOPLE_COLUMNS = ["key", "person", "answers", "wave", "unit_id", "role", "figures", "marks"]
FIRST_FORMAT_COLUMNS = ["person", "answers", "wave", "unit_id", "role", "whole"]
"""Columns of `people` in the first format, whose digests were made without a key."""
FIGURE_COLUMNS = ["figure", "items"]
SETTING_NAMES = ["roles_doing", "roles_leading", "minimum_group", "minimum_distribution"]
PUBLISHED_TABLES = ("people", "membership", "cells", "wordings", "figures", "settings")
TABLES = (*PUBLISHED_TABLES, "withheld")


@dataclass(frozen=True)
class People:
    """Respondents and their answers as read: in memory only, never written.

    `table`: one row per respondent and wave (wave, unit_id, role, code; role and code may be missing). `answers`:
    people x `items`, coded as `scales.Answers.codes`. `counts`: people x figures, whether a person contributes
    to a figure. `figures`: one row per figure (figure, items: ids joined by `;`).
    """

    table: pd.DataFrame
    answers: NDArray[np.int8]
    items: tuple[str, ...]
    counts: NDArray[np.bool_]
    figures: pd.DataFrame

    def select(self, rows: NDArray[np.bool_]) -> "People":
        """Only the people in some rows."""
        table = self.table[rows].reset_index(drop=True)
        return People(table, self.answers[rows], self.items, self.counts[rows], self.figures)

    @property
    def codes(self) -> list[str | None]:
        """Code of each person; None for those without."""
        codes = self.table["code"].astype(object)
        return [None if missing else str(code) for code, missing in zip(codes, codes.isna(), strict=True)]

    def keyed_digests(self, key: bytes) -> pd.DataFrame:
        """Digests of each person's code and of all answers: person, answers."""
        coded = [None if code is None else code.encode() for code in self.codes]
        answered = digests(key, "answers", answer_vectors(self.answers, self.items))
        return pd.DataFrame({"person": digests(key, "person", coded), "answers": answered})

    def first_format_digests(self, key: bytes | None = None) -> pd.DataFrame:
        """Digests as in the first format; with a key, as in a file of the first format that was sealed later."""
        answers = pd.util.hash_pandas_object(pd.DataFrame(self.answers), index=False)
        coded = pd.util.hash_array(self.table["code"].astype(object).to_numpy())
        person = pd.Series(np.where(self.table["code"].isna(), answers, coded))
        again = person.groupby([self.table["wave"], person]).cumcount()
        first = pd.DataFrame({
            "person": person.astype(str) + "-" + again.astype(str),
            "answers": (answers % 2**16).astype(str),
        }).astype(object)  # fmt: skip
        return _answers_per_person(first) if key is None else _answers_per_person(_keyed_first_format(first, key))


def _answers_per_person(first: pd.DataFrame) -> pd.DataFrame:
    """Bind digests of answers to a person: the first format has so few of them that different people share one."""
    return first.assign(answers=first["person"] + ":" + first["answers"])


def _keyed_first_format(first: pd.DataFrame, key: bytes) -> pd.DataFrame:
    person = [text.encode() for text in first["person"]]
    person_and_answers = [text.encode() for text in first["person"] + ":" + first["answers"]]
    return first.assign(
        person=digests(key, "first person", person), answers=digests(key, "first answers", person_and_answers)
    )


@dataclass(frozen=True)
class Release:
    """What one run published of the survey, as it is stored.

    `people`: one row per respondent and wave (key: name of the key; person, answers: digests, person missing without a
    code; wave, unit_id, role; figures: bits in the order of `figures`, set where the person contributes, encrypted; see
    `encrypted_figures`; marks: two bytes per item that change with the answer). `membership`: the units whose answers
    count for each reporting unit (unit_id, member_id).
    `cells`: unit_id, wave, segment of every cell that was shown, and `figures`: bits that are set for those shown there
    (without this column all are). `wordings`: wave, item_id and digest of its wording as it was first published.
    `figures` as in `People`. `settings`: name and value of those in force. `withheld`: cells that the run withheld
    because of earlier ones. `keys` by name, as far as they exist. `name` of its folder.
    """

    people: pd.DataFrame
    membership: pd.DataFrame
    cells: pd.DataFrame
    wordings: pd.DataFrame
    figures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FIGURE_COLUMNS, dtype=object))
    settings: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["name", "value"], dtype=object))
    withheld: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CELL, dtype=object))
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    name: str = ""

    @property
    def digest(self) -> str:
        """Twelve hex digits, equal for two runs that published the same cells of the same people."""
        return sha256(b"".join(row_content(getattr(self, table)) for table in PUBLISHED_TABLES))[:12]

    @property
    def first_format(self) -> bool:
        """Whether it has the first format, which only recorded whether a person contributes to all figures."""
        return "whole" in self.people

    def settings_used(self, now: Settings) -> Settings:
        """Today's settings, except for those recorded with this release."""
        written = dict(self.settings.itertuples(index=False))
        if not written:
            return now
        doing, leading = (tuple(filter(None, written[name].split(";"))) for name in SETTING_NAMES[:2])
        group, distribution = (int(written[name]) for name in SETTING_NAMES[2:])
        return replace(
            now, roles_doing=doing, roles_leading=leading, minimum_group=group, minimum_distribution=distribution
        )


@dataclass(frozen=True)
class Draft:
    """What a run would publish of the survey; `save` makes a `Release` of it.

    `keys`: name of each wave's key where it is not the wave's own. `compared_with`: names of the earlier releases;
    None where no comparison was made. `withheld` as in `Release`.
    """

    people: People
    membership: pd.DataFrame
    cells: pd.DataFrame
    wordings: pd.DataFrame
    settings: Settings
    keys: Mapping[str, str] = field(default_factory=dict)
    compared_with: frozenset[str] | None = None
    withheld: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CELL, dtype=object))

    def seal(self, keys: Mapping[str, bytes]) -> Release:
        """Digest people and answers with the keys of their waves; waves without a visible cell are left out.

        Parameters
        ----------
        keys
            By name; see `key_names`.
        """
        names = self.key_names()
        parts = [pd.DataFrame(columns=PEOPLE_COLUMNS, dtype=object)]
        for wave, name in names.items():
            respondents = self.people.select((self.people.table["wave"] == wave).to_numpy())
            marks = answer_marks(keys[name], respondents.codes, respondents.answers)
            table = pd.concat(
                [respondents.table[["wave", "unit_id", "role"]], respondents.keyed_digests(keys[name])], axis=1
            ).assign(
                key=name,
                figures=[row.tobytes() for row in np.packbits(respondents.counts, axis=1)],
                marks=[row.astype("<u2").tobytes() for row in marks],
            )
            parts.append(
                table.assign(figures=encrypted_figures(table, self.people.figures, keys[name]))[PEOPLE_COLUMNS]
            )
        people = pd.concat(parts[1:] or parts, ignore_index=True).astype(object)
        figures = self.people.figures[FIGURE_COLUMNS].assign(order=";".join(self.people.items)).astype(object)
        wordings = self.wordings.astype(object)
        settings, withheld = _settings_table(self.settings), self.withheld[CELL].astype(object)
        return Release(people, self.membership, self.cells, wordings, figures, settings, withheld, keys)

    def key_names(self) -> dict[str, str]:
        """Name of the key of every wave with a visible cell."""
        shown_waves = set(self.cells["wave"])
        return {
            wave: self.keys.get(wave, file_stem(wave))
            for wave in self.people.table["wave"].unique()
            if wave in shown_waves
        }


def encrypted_figures(rows: pd.DataFrame, figures: pd.DataFrame, key: bytes) -> list[bytes]:
    """Encrypt the bits of people's figures, which show who skipped what, or decrypt them.

    `rows`: person, answers, figures; `figures` (figure, items): the figures that the bits stand for.
    """
    order = sha256("\n".join(figures["figure"] + "=" + figures["items"]))
    owners = rows["person"].fillna("").astype(str) + ":" + rows["answers"].astype(str) + ":" + order
    return xor_keystream(key, owners.tolist(), rows["figures"].tolist())


def _settings_table(settings: Settings) -> pd.DataFrame:
    values = [";".join(settings.roles_doing), ";".join(settings.roles_leading)]
    values += [str(settings.minimum_group), str(settings.minimum_distribution)]
    return pd.DataFrame({"name": SETTING_NAMES, "value": values}, dtype=object)


def row_content(table: pd.DataFrame) -> bytes:
    """Bytes that are equal for two tables with the same rows in any order."""
    cells = table[sorted(table.columns)].astype(object)
    return np.sort(pd.util.hash_pandas_object(cells, index=False).to_numpy()).tobytes()


def wordings(earlier: Sequence[Release], waves: Sequence[str], rules: Instrument) -> pd.DataFrame:
    """The wording of each item in each wave: one row per wave x item (wave, item_id, digest).

    It is that of the oldest release with the wave; a wave without a release has today's wording.
    """
    today = pd.Series(wording_digests(rules), name="digest").rename_axis("item_id").reset_index()
    by_wave = pd.DataFrame({"wave": list(waves)}, dtype=object).merge(today, how="cross")
    all_wordings = pd.concat([*(release.wordings for release in earlier), by_wave], ignore_index=True)
    first = all_wordings.drop_duplicates(["wave", "item_id"])
    return first.loc[first["wave"].isin(waves)].reset_index(drop=True)


def read(folder: Path) -> list[Release]:
    """Every stored release, in the order of their names; none where the folder does not exist.

    Raises
    ------
    InfrastructureError
        A release or a key cannot be read.
    """
    keys = read_keys(folder)
    return [_read(path, keys) for path in sorted(_release_folders(folder))]


def _release_folders(folder: Path) -> Iterator[Path]:
    paths = folder.glob("*")
    return (path for path in paths if path.is_dir() and path.name != KEYS_FOLDER and not path.name.startswith("."))


def _read(path: Path, keys: Mapping[str, bytes]) -> Release:
    people = _read_table(path / "people.parquet", [])
    first = "whole" in people
    columns = FIRST_FORMAT_COLUMNS if first else PEOPLE_COLUMNS
    if not {*columns[:1], *columns[3:]} <= set(people):
        raise _unreadable(path / "people.parquet", f"columns are missing: {', '.join(columns)}")
    if first:  # the earliest releases have no digest of the answers
        people = people.reindex(columns=[*FIRST_FORMAT_COLUMNS, *(["key"] if "key" in people else [])])
    rest = [("membership", ["unit_id", "member_id"]), ("cells", CELL), ("wordings", ["wave", "item_id", "digest"])]
    rest += [] if first else [("figures", FIGURE_COLUMNS), ("settings", ["name", "value"]), ("withheld", CELL)]
    tables = {name: _read_table(path / f"{name}.parquet", needed) for name, needed in rest}
    return Release(people, **tables, keys=keys, name=path.name)


def _read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except Exception as error:
        raise _unreadable(path, str(error).partition("\n")[0]) from error
    if not set(columns) <= set(table):
        raise _unreadable(path, f"columns are missing: {', '.join(columns)}")
    return table


def _unreadable(path: Path, reason: str) -> InfrastructureError:
    return InfrastructureError(
        f"{path}: cannot be read as what an earlier run published ({reason}). Nothing was published.\n"
        f"Put the file back from a copy. Or move the folder {path.parent} away, knowing that nothing then guards "
        "against what that run published."
    )


def save(folder: Path, draft: Draft, as_of: str) -> str:
    """Store a release, whole or not at all, and return its name; one that is stored already renews its time stamp.

    Raises
    ------
    InfrastructureError
        The folder cannot be written, or another run has published since the draft was compared with what was there.
    """
    release = draft.seal({name: ensure_key(folder, name) for name in draft.key_names().values()})
    since = {path.name for path in _release_folders(folder) if not path.name.endswith(release.digest)}
    if draft.compared_with is not None and since - draft.compared_with:
        raise InfrastructureError(
            f"{folder}: another run has published {', '.join(sorted(since - draft.compared_with))} since this one read "
            "the folder. Nothing was published. Run again."
        )
    _seal_first_format(folder)
    for path in folder.glob(f"*{release.digest}"):
        os.utime(path)
        return path.name
    name = "-".join(filter(None, [as_of, release.digest]))
    _write(folder, release, name)
    return name


def _write(folder: Path, release: Release, name: str) -> None:
    make_private_folder(folder)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".", suffix=PART, dir=folder))
        try:
            for table in TABLES:
                getattr(release, table).to_parquet(temporary / f"{table}.parquet", index=False)
            temporary.rename(folder / name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({error.strerror}). Nothing was published.") from error


def _seal_first_format(folder: Path) -> None:
    """Digest releases of the first format once more with keys: digests made without one can be guessed."""
    for path in _release_folders(folder):
        people = _read_table(path / "people.parquet", []) if (path / "people.parquet").exists() else pd.DataFrame()
        if "whole" not in people or "key" in people:
            continue
        parts = []
        for wave, rows in people.reindex(columns=FIRST_FORMAT_COLUMNS).groupby("wave", sort=False):
            texts = rows[["person", "answers"]].fillna("").astype(str)
            parts.append(
                rows.assign(
                    **_keyed_first_format(texts, ensure_key(folder, file_stem(str(wave)))), key=file_stem(str(wave))
                )
            )
        times = path.stat()
        temporary = path / f".people.{secrets.token_hex(4)}{PART}"
        pd.concat(parts or [people.assign(key="")]).to_parquet(temporary, index=False)
        temporary.replace(path / "people.parquet")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def trim(folder: Path, number: int) -> None:
    """Keep the newest `number` releases (0: all) and delete the others, which then no longer protect later runs."""
    by_age = sorted(_release_folders(folder), key=lambda path: path.stat().st_mtime_ns)
    for path in by_age[:-number] if number else ():
        shutil.rmtree(path, ignore_errors=True)
