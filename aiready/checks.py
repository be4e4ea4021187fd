"""Raw table -> typed table and quarantine: one list of rules, derived from the schema, for every engine.

A rule is a column, a sentence and an Ibis expression that is true where a row breaks it. Small tables and the
decision log are read by the same expressions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.measures import ORGANISATION
from aiready.readers import FILE, ROW, SURPLUS
from aiready.schema import DOES_NOT_APPLY, DONT_KNOW, Column, Table

MISSING = ("", "N/A", "n/a", "#N/A")
NO_ANSWER = ("", "-9", "#n/a")
SAYS_DOES_NOT_APPLY = ("does not apply", "doesn't apply", "not applicable", "n/a", "na")
SAYS_DONT_KNOW = ("don't know", "i don't know", "do not know", "dont know", "dk")
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")
DEFAULTS: Mapping[str, Mapping[str, str | int]] = {
    "trials": {"trial_no": 1},
    "workflow_steps": {"version": "now"},
}
"""What a blank means where the schema says so."""

_LABELS = ("advice", "initial_decision", "final_decision", "correct_decision")
_LARGEST = 1e300
"""Beyond it only infinity and what is no number are left."""

_SALT = "aiready:person:"
_TYPES = {
    "text": "string", "id": "string", "url": "string", "check": "string", "wave": "string", "flag": "boolean",
    "integer": "int64", "number": "float64", "share": "float64", "date": "timestamp",
    "timestamp": "timestamp",
}  # fmt: skip
_WANTED = {
    "integer": "is no whole number",
    "number": "is no number (a point or a comma before decimals, nothing between thousands)",
    "share": "is no number (a point or a comma before decimals, no percent sign)",
    "date": "is no date between 1900 and 2199 (write 2026-05-11)",
    "timestamp": "is no time between 1900 and 2199 (write 2026-05-11T09:30:00)",
    "wave": "is no wave (write 2026-Q3, 2026-09 or 2026)",
    "flag": "is neither yes nor no",
    "check": "is neither yes nor no nor the date it was done",
}
GIVEN = "given "


@dataclass(frozen=True)
class Rule:
    """What a row may not do: where it shows, what is said, and the expression that is true where it does."""

    column: str
    text: str
    broken: ir.BooleanValue


@dataclass(frozen=True)
class Checked:
    """A raw table read once: `typed` beside its `given` cells, and the rules its rows must keep."""

    table: Table
    rows: ir.Table
    rules: tuple[Rule, ...]
    items: tuple[str, ...] = ()

    @property
    def broken(self) -> ir.BooleanValue:
        """True where a row breaks any rule."""
        return reduce(or_, (rule.broken.fill_null(False) for rule in self.rules))

    @property
    def typed(self) -> tuple[str, ...]:
        """Columns of the checked table."""
        return (*self.table.names, *self.items)


# Reading -------------------------------------------------------------------------------------------------


def cell(given: ir.Value) -> ir.StringValue:
    """Text of a cell; null where it is blank or says that nothing is there."""
    text = _without_nan(given).cast("string")
    return text.isin(MISSING).ifelse(ibis.null("string"), text)


def _without_nan(given: ir.Value) -> ir.Value:
    return given.nullif(float("nan")) if given.type().is_floating() else given


def number(text: ir.StringValue) -> ir.FloatingValue:
    """Number in a cell, with decimal point or comma; null where it is none or could be thousands (12,500)."""
    decimal_comma = text.re_search(r"^[+-]?(\d*,(\d{1,2}|\d{4,})|(0\d*|\d{4,})?,\d{3})$")
    pointed = decimal_comma.ifelse(text.replace(",", "."), ibis.null("string"))
    value = text.contains(",").ifelse(pointed, text).try_cast("float64")
    return value.between(-_LARGEST, _LARGEST).ifelse(value, ibis.null("float64"))


def moment(text: ir.StringValue) -> ir.TimestampValue:
    """Time in a cell, UTC without zone: ISO, 11.05.2026, or the serial number of a spreadsheet."""
    german = text.re_replace(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})", r"\3-\2-\1")
    iso = text.contains("-").ifelse(text, german).try_cast("timestamp('UTC')").cast("timestamp")
    serial = text.contains("-").ifelse(ibis.null("string"), text).try_cast("float64")
    # 20000-80000 are the days of 1954-2119 in the 1900 date system; 25569 is 1 January 1970
    days = serial.between(20000, 80000).ifelse(serial - 25569, ibis.null("float64"))
    counted = (days * 86400).round().cast("int64").as_timestamp("s").cast("timestamp")
    return ibis.coalesce(iso, counted)


def plausible(at: ir.TimestampValue) -> ir.TimestampValue:
    """The time, or null outside 1900-2199, where typing errors and placeholders live."""
    inside = at.between(ibis.timestamp("1900-01-01"), ibis.timestamp("2200-01-01"))
    return inside.ifelse(at, ibis.null("timestamp"))


def _whole_as_text(text: ir.StringValue) -> ir.StringValue:
    """`11.0` and `11` are the same name: spreadsheets and data frames write either."""
    # asking for the ending first spares the pattern, which is ten times dearer
    return text.endswith(".0").ifelse(text.re_replace(r"^(-?\d+)\.0$", r"\1"), text)


def _wave(text: ir.StringValue) -> ir.StringValue:
    """Wave label; `2026-09` that a spreadsheet turned into the first of the month is turned back."""
    label = text.upper().re_replace(r"^(\d{4}-\d{2})-01(T00:00:00)?$", r"\1")
    known = label.re_search(r"^\d{4}(-(Q[1-4]|0[1-9]|1[0-2]))?$")
    return known.ifelse(label, ibis.null("string"))


def _yes_no(text: ir.StringValue) -> ir.BooleanValue:
    lower = text.lower()
    return ibis.cases((lower.isin(YES), True), (lower.isin(NO), False), else_=ibis.null("boolean"))


def _check(text: ir.StringValue) -> ir.StringValue:
    known = _yes_no(text)
    done = (known | plausible(moment(text)).notnull()).fill_null(False)
    return ibis.cases((done, "yes"), ((~known).fill_null(False), "no"), else_=ibis.null("string"))


def _native(given: ir.Value, kind: str) -> ir.Value | None:
    """A column that is stored in its own type needs no reading of text."""
    stored = given.type()
    if kind in ("number", "share") and stored.is_numeric():
        return _without_nan(given).cast("float64")
    if kind == "integer" and stored.is_integer():
        return given.cast("int64")
    if kind == "flag" and stored.is_boolean():
        return given
    if kind in ("date", "timestamp") and (stored.is_timestamp() or stored.is_date()):
        utc = given.cast("timestamp('UTC')") if stored.is_timestamp() and stored.timezone else given
        return utc.cast("timestamp")
    return None


def reading(column: Column, given: ir.Value) -> ir.Value:
    """Value of a cell as the schema types it; null where it is blank or cannot be read."""
    native = _native(given, column.kind)
    if column.kind in ("date", "timestamp"):
        at = plausible(moment(cell(given)) if native is None else native)
        return at.truncate("D") if column.kind == "date" else at
    if native is not None:
        return native
    text = cell(given)
    if column.allowed:
        spelled = [(text.lower() == allowed.lower(), allowed) for allowed in column.allowed]
        return ibis.cases(*spelled, else_=ibis.null("string"))
    if column.kind == "integer":
        value = number(text)
        return (value == value.floor()).ifelse(value.try_cast("int64"), ibis.null("int64"))
    if column.kind == "id" or column.name in _LABELS:
        return _whole_as_text(text)
    readers = {"number": number, "share": number, "wave": _wave, "flag": _yes_no, "check": _check}
    return readers[column.kind](text) if column.kind in readers else text


def unlike(column: Column, given: ir.Value) -> ir.BooleanValue | bool:
    """Cheap test, true where a stored cell is not yet what the schema wants."""
    native = _native(given, column.kind)
    if column.kind == "timestamp" and native is not None:
        return native != plausible(native)
    if native is not None:
        return given.isnan() if given.type().is_floating() else False
    if column.kind not in ("text", "id", "url") or column.allowed or not given.type().is_string():
        return True
    odd = given.startswith(" ") | given.endswith(" ") | given.isin(MISSING)
    return odd | given.endswith(".0") if column.kind == "id" or column.name in _LABELS else odd


def answer(given: ir.Value, levels: int) -> ir.FloatingValue:
    """Level answered to an item, or the code of an answer that is no level; null: none that is known."""
    said = _said(given)
    known = [(said.isin(spelled), value) for value, spelled in _answers(levels).items()]
    return ibis.cases(*known, else_=ibis.null("float64")).cast("float64")


def _said(given: ir.Value) -> ir.StringValue:
    return _without_nan(given).cast("string").lower().replace("’", "'").fill_null("")


def _answers(levels: int) -> dict[float, tuple[str, ...]]:
    """How each answer may be written."""
    spelled = {float(level): (f"{level}", f"{level}.0", f"{level},0") for level in range(1, levels + 1)}
    return {**spelled, DOES_NOT_APPLY: SAYS_DOES_NOT_APPLY, DONT_KNOW: SAYS_DONT_KNOW}


def hashed(text: ir.StringValue) -> ir.StringValue:
    """Twelve hex digits in place of a person's code."""
    return (ibis.literal(_SALT) + text).hexdigest("sha256").substr(0, 12)


# Rules ---------------------------------------------------------------------------------------------------


def typed(
    table: Table,
    raw: ir.Table,
    *,
    levels: Mapping[str, int] = MappingProxyType({}),
    as_is: Collection[str] = (),
) -> ir.Table:
    """Read every cell of a raw table: the schema's columns and the items, beside the cells as given.

    Parameters
    ----------
    table, raw
        The schema's table, and its cells as given with `FILE` and `ROW`.
    levels
        Scale points of each item column of `responses`.
    as_is
        Columns that are stored as the schema wants them: used without reading.
    """
    given = {GIVEN + name: raw[name] for name in raw.columns if name not in (FILE, ROW)}
    columns = {column.name: _typed(table, column, raw, as_is) for column in table.columns}
    answers = {
        item: answer(raw[item], top) if item in raw.columns else ibis.null("float64") for item, top in levels.items()
    }
    return raw.select(raw[FILE], raw[ROW], **given, **columns, **answers)


def check(
    table: Table,
    rows: ir.Table,
    *,
    levels: Mapping[str, int] = MappingProxyType({}),
    known: Mapping[str, Sequence[str]],
    as_is: Collection[str] = (),
) -> Checked:
    """Derive the rules of a typed table; `known` are the ids that a column may name, by column."""
    rules = [rule for column in table.columns for rule in _column_rules(column, rows, known, as_is)]
    rules += [_item_rule(item, rows, top) for item, top in levels.items() if GIVEN + item in rows.columns]
    rules += [*_order_rules(table, rows), *(_trial_rules(rows) if table.name == "trials" else [])]
    if GIVEN + SURPLUS in rows.columns:
        surplus = rows[GIVEN + SURPLUS].notnull()
        rules.append(Rule(SURPLUS, "more cells than the header has columns", surplus))
    return Checked(table, rows, tuple(rules), tuple(levels))


def _typed(table: Table, column: Column, raw: ir.Table, as_is: Collection[str]) -> ir.Value:
    default = DEFAULTS.get(table.name, {}).get(column.name)
    if column.name not in raw.columns:
        return ibis.literal(default, _TYPES[column.kind]) if default else ibis.null(_TYPES[column.kind])
    given = raw[column.name]
    native = _native(given, column.kind)
    value = reading(column, given) if column.name not in as_is else given if native is None else native
    if column.name in table.hashed:
        return hashed(value)
    return value.fill_null(default) if default else value


def _column_rules(
    column: Column, rows: ir.Table, known: Mapping[str, Sequence[str]], as_is: Collection[str]
) -> list[Rule]:
    name = column.name
    if GIVEN + name not in rows.columns:
        return []
    value, given = rows[name], rows[GIVEN + name]
    rules = []
    if column.required:
        absent = value.isnull() if name in as_is else cell(given).isnull()
        rules.append(Rule(name, "is missing", absent))
    wanted = f"is none of {', '.join(column.allowed)}" if column.allowed else _WANTED.get(column.kind)
    if wanted and name not in as_is:
        rules.append(Rule(name, wanted, cell(given).notnull() & value.isnull()))
    if column.at_least is not None:
        rules.append(Rule(name, f"is below {column.at_least:g}", value < column.at_least))
    if column.at_most is not None:
        rules.append(Rule(name, f"is above {column.at_most:g}", value > column.at_most))
    if name == "unit_id":
        rules.append(Rule(name, "`*` stands for the organisation", value == ORGANISATION))
    if name in known:
        rules.append(Rule(name, _UNKNOWN[name], value.notin([*known[name], ORGANISATION])))
    return rules


_UNKNOWN = {
    "unit_id": "is not in the table units",
    "initiative_id": "is not in the table initiatives",
    "barrier_id": "is no barrier of the instrument",
}


def _item_rule(item: str, rows: ir.Table, levels: int) -> Rule:
    text = f"is no level from 1 to {levels} (leave it empty for no answer)"
    unknown = rows[item].isnull() & _said(rows[GIVEN + item]).notin(NO_ANSWER)
    return Rule(item, text, unknown)


def _order_rules(table: Table, rows: ir.Table) -> list[Rule]:
    return [
        Rule(late, f"is before {early}", rows[late] < rows[early])
        for early, late in table.ordered
        if GIVEN + late in rows.columns and GIVEN + early in rows.columns
    ]


def _trial_rules(rows: ir.Table) -> list[Rule]:
    counted = rows["successes"].notnull()
    measured = rows["mean"].notnull() & rows["sd"].notnull()
    return [
        Rule("successes", "neither successes nor mean and sd are given", ~(counted | measured)),
        Rule("successes", "is above n", rows["successes"] > rows["n"]),
    ]


# Quarantine ----------------------------------------------------------------------------------------------


def quarantine(checked: Checked) -> pd.DataFrame:
    """Rows that break a rule, whole: cells as given, then file, row, column, value and rule.

    Grain: one row per row left out; several breaches are joined by `; `.
    """
    flags = {f"broken {i}": rule.broken.fill_null(False) for i, rule in enumerate(checked.rules)}
    given = [name for name in checked.rows.columns if name.startswith(GIVEN)]
    found = checked.rows.filter(checked.broken).select(FILE, ROW, *given, **flags).to_pandas()
    found = found.sort_values([FILE, ROW], ignore_index=True)
    cells = found[given].rename(columns=lambda name: name.removeprefix(GIVEN)).astype(object)
    said = [_joined(found, cells, flags, checked.rules, part) for part in ("column", "value", "rule")]
    return _evidence(found, cells, *said)


def _joined(
    found: pd.DataFrame, cells: pd.DataFrame, flags: Mapping[str, object], rules: Sequence[Rule], part: str
) -> pd.Series:
    """Column, value or rule of every breach of a row, in one cell."""
    joined = pd.Series("", index=found.index, dtype=object)
    for flag, rule in zip(flags, rules, strict=True):
        at = found[flag].astype(bool)
        if at.any():
            values = {
                "column": "" if rule.column == SURPLUS else rule.column,
                "value": _shown(cells, rule.column)[at],
                "rule": f"{rule.column} {rule.text}" if rule.column != SURPLUS else rule.text,
            }
            joined[at] += joined[at].map(bool).map({True: "; ", False: ""}) + values[part]
    return joined


def _shown(cells: pd.DataFrame, column: str) -> pd.Series:
    given = cells.get(column, pd.Series("", index=cells.index))
    return given.map(lambda value: "" if pd.isna(value) else str(value))


def _evidence(
    found: pd.DataFrame, cells: pd.DataFrame, column: pd.Series, value: pd.Series, rule: pd.Series
) -> pd.DataFrame:
    if SURPLUS in cells and cells[SURPLUS].isna().all():
        cells = cells.drop(columns=SURPLUS)
    said = pd.DataFrame({"file": found[FILE], "row": found[ROW], "column": column, "value": value, "rule": rule})
    cells = cells.rename(columns={name: f"{name} (given)" for name in cells if name in said})
    return pd.concat([cells.rename(columns={SURPLUS: "more cells"}), said], axis=1)


def repeated(checked: Checked, again: pd.DataFrame) -> pd.DataFrame:
    """Quarantine rows of those that repeat the key of an earlier row.

    `again`: one row each with `FILE`, `ROW` and `first`, the row that came first.
    """
    given = [name for name in checked.rows.columns if name.startswith(GIVEN)]
    wanted = ibis.memtable(again[[FILE, ROW]])
    found = checked.rows.semi_join(wanted, [FILE, ROW]).select(FILE, ROW, *given).to_pandas()
    found = found.merge(again, on=[FILE, ROW]).sort_values([FILE, ROW], ignore_index=True)
    cells = found[given].rename(columns=lambda name: name.removeprefix(GIVEN)).astype(object)
    named = [name for name in checked.table.key if name in cells]
    value = cells[named].fillna("").astype(str).agg(", ".join, axis=1)
    rule = "same " + ", ".join(checked.table.key) + " as row " + found["first"].astype(str)
    column = pd.Series(", ".join(checked.table.key), index=found.index)
    return _evidence(found, cells, column, value, rule)
