"""Say and do, facet by facet, in natural units: survey answers beside what records show."""

import pandas as pd

from aiready.instrument.files import split_list
from aiready.instrument.model import Instrument
from aiready.model import waves
from aiready.model.registry import ALL, MEASURES, OK, stack_nonempty
from aiready.model.schema import LIVE_STAGES
from aiready.profile.barriers import BY_QUARTER

KEY = ["unit_id", "wave"]
FACET = ["barrier_id", "facet"]
RECORD_KEY = [*FACET, "record_id"]
"""Key of a pair; labels are for readers and need not be unique."""
COLUMNS = (
    "unit_id", "wave", "barrier_id", "facet", "record_id", "says", "says_n", "says_label",
    "record", "record_yes", "record_n", "record_label", "unit",
)  # fmt: skip

RECORD_COLUMNS = (*KEY, "record_id", "record", "record_yes", "record_n", "unit")


def say_do(
    items: pd.DataFrame,
    measures: pd.DataFrame,
    register: pd.DataFrame,
    membership: pd.DataFrame,
    rules: Instrument,
) -> pd.DataFrame:
    """Pair survey answers with records: one row per unit x wave x barrier x facet x record.

    Parameters
    ----------
    items
        Protected item distributions; `says` is the share of segment `all` at the level of the facet's twin and
        above, among answers on a level (0-1).
    measures
        Protected measures rows; a twin that names a measure takes its value in its own unit.
    register
        Initiatives (unit_id, wave, stage and the columns the twins name); a twin that names columns counts the
        live initiatives in which all of them are filled and not "no" (`record_yes` of `record_n`). A measure
        that is a share of records is counted likewise; one of hours is not.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; either side is NaN where it is hidden or absent. `record_id` is the measure or the columns of the
        register. Twins refer to the first item of a facet.
    """
    twins = with_record_ids(rules.twins)
    say_rows = _say_rows(items, twins.merge(rules.items.drop_duplicates(FACET)[["item_id", *FACET]], on=FACET))
    do_rows = stack_nonempty(_measure_rows(measures, twins, say_rows), _register_rows(register, membership, twins))
    return say_rows.merge(do_rows, on=[*KEY, "record_id"], how="left").reindex(columns=COLUMNS)


def with_record_ids(twins: pd.DataFrame) -> pd.DataFrame:
    """Twins with the `record_id` of what they count; the instrument checks that `RECORD_KEY` is unique."""
    names = twins.reindex(columns=["measure", "register_column"]).fillna("")
    return twins.assign(record_id=names["measure"].where(names["measure"] != "", names["register_column"]))


def _say_rows(items: pd.DataFrame, twins: pd.DataFrame) -> pd.DataFrame:
    rows = items.loc[items["segment"] == ALL].assign(step=lambda table: pd.to_numeric(table["level"], errors="coerce"))
    worded = twins[["item_id", *RECORD_KEY, "says", "says_from", "label"]]
    worded = worded.rename(columns={"says": "says_label", "label": "record_label"})
    rows = rows.loc[rows["step"].notna()].merge(worded, on="item_id")
    rows["reached"] = rows["share"].where(rows["step"] >= rows["says_from"].astype(float), 0.0)
    keys = [*KEY, *RECORD_KEY, "says_label", "record_label"]
    sums = rows.groupby(keys, as_index=False).agg(says_n=("n", "max"), says=("reached", "sum"))
    inside = sums["says"].between(0, 1, inclusive="neither") & sums["says_n"].notna()
    return sums.assign(says=sums["says"].where(inside))


def _measure_rows(measures: pd.DataFrame, twins: pd.DataFrame, say_rows: pd.DataFrame) -> pd.DataFrame:
    rows = measures.loc[(measures["segment"] == ALL) & (measures["status"] == OK)]
    rows = rows.loc[rows["measure"].isin(twins["measure"]), [*KEY, "table", "measure", "value", "n"]]
    dated = rows["table"].isin(BY_QUARTER)
    in_waves = pd.DataFrame({"of_wave": say_rows["wave"].unique()})
    in_waves["wave"] = in_waves["of_wave"].map(waves.quarter_of_wave)
    by_quarter = rows.loc[dated].merge(in_waves, on="wave").drop(columns="wave").rename(columns={"of_wave": "wave"})
    matched = stack_nonempty(rows.loc[~dated], by_quarter)
    matched["unit"] = matched["measure"].map({name: measure.unit for name, measure in MEASURES.items()})
    renamed = matched.rename(columns={"measure": "record_id", "value": "record", "n": "record_n"})
    counted = renamed["unit"].eq("share") & renamed["table"].ne("tasks")  # shares of hours count no records
    renamed["record_yes"] = (renamed["record"] * renamed["record_n"]).astype(float).round().where(counted)
    return renamed[list(RECORD_COLUMNS)]


def _register_rows(register: pd.DataFrame, membership: pd.DataFrame, twins: pd.DataFrame) -> pd.DataFrame:
    live = register.loc[register["stage"].isin(LIVE_STAGES)] if len(register) else register
    rows = live.rename(columns={"unit_id": "member_id"}).merge(membership, on="member_id")
    with_columns = twins.loc[twins["register_column"].notna() & (twins["register_column"] != "")]
    counts_by_columns = []
    for record_id in with_columns["register_column"].unique():
        columns = [column for column in split_list(record_id) if column in rows]
        filled = (rows[columns].notna() & (rows[columns] != "no")).all(axis=1)
        counts = rows.assign(yes=filled).groupby(KEY)["yes"].agg(["sum", "size"]).reset_index()
        counts_by_columns.append(counts.assign(record_id=record_id, record_yes=counts["sum"], record_n=counts["size"]))
    if not counts_by_columns:
        return pd.DataFrame(columns=RECORD_COLUMNS)
    counted = stack_nonempty(*counts_by_columns).assign(unit="share")
    counted["record"] = counted["record_yes"] / counted["record_n"]
    return counted[list(RECORD_COLUMNS)]
