"""Verdicts: what a trial showed against its comparison, by the rule agreed before it."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from aiready import statistics

TRIAL = ["initiative_id", "trial_no"]
STOP, FIX, NOT_ASSESSABLE, EXTEND, SCALE = "STOP", "FIX", "NOT ASSESSABLE", "EXTEND", "SCALE"
CAUTION = (STOP, FIX, NOT_ASSESSABLE, EXTEND, SCALE)
"""Verdicts, the most cautious first: over the measures of a trial the first one holds."""
COMPARISONS = ("random", "matched")
ONE_SIDED = 0.90
"""Two-sided level whose ends are the one-sided 95 % bounds L and U."""
COLUMNS = (
    *TRIAL, "verdict", "reason", "outcome", "direction", "unit", "improvement", "low", "high", "lower", "upper",
    "target_effect", "n_control", "n_treatment", "n_needed",
    "deciding_measure", "deciding_kind", "deciding_bound", "guardrails", "assignment", "compared",
    "declared_on", "started_on", "ended_on", "declared_before_start", "learned",
)  # fmt: skip


def verdicts(trials: pd.DataFrame | None) -> pd.DataFrame:
    """Verdict of every trial: one row per initiative x trial, `COLUMNS`.

    Parameters
    ----------
    trials
        The checked table `trials`, or None; a blank `trial_no` is 1.

    Returns
    -------
    pandas.DataFrame
        `improvement` in the outcome's `unit` (`share`: 0-1; blank: the measure's own), positive is better;
        `low`, `high` two-sided 95 %, `lower`,
        `upper` one-sided 95 % (L and U). `deciding_bound` is the bound that decided: of the improvement for
        an outcome, of the harm for a guardrail. `n_needed`: cases per arm at which L would reach what it
        misses (0 where inconclusive, else d; a guardrail's margin), if effect and spread stay as seen; missing
        where more cases cannot help. `guardrails`: each
        with its finding. `compared`: random or matched arms, both there. `declared_before_start`: True,
        False, None (unknown).

    Notes
    -----
    With d the target effect: L >= d SCALE; 0 < L < d <= U EXTEND; 0 < L and U < d FIX; L <= 0 and U >= d
    EXTEND (inconclusive); L <= 0 and U < d STOP. Guardrail with margin m, harm = -improvement: upper bound
    <= m fine; lower bound > m STOP; point > m FIX; else EXTEND. The most cautious of all outcomes and
    guardrails holds, in the order STOP, FIX, NOT ASSESSABLE, EXTEND, SCALE; with several outcomes, all have
    to reach their target. Shares: Newcombe; means: Welch.

    *Missing data* never help: without a comparison, a target effect or any outcome NOT ASSESSABLE; a
    guardrail without a margin tolerates no harm (m = 0); SCALE needs every row to say `random` or `matched`,
    else EXTEND. Where the arms state different target effects or margins, the stricter one counts.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17; Welch (1947), Biometrika 34.
    """
    if trials is None or trials.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = trials.assign(trial_no=trials["trial_no"].fillna(1).astype(int))
    rows = rows.drop_duplicates([*TRIAL, "measure", "arm"])
    about = _about(rows)
    judged = _judge(_compare(rows).merge(about, on=TRIAL))
    ranked = judged.sort_values([*TRIAL, "caution", "is_guardrail"], kind="stable")
    outcomes = ranked[~ranked["is_guardrail"]].drop_duplicates(TRIAL).rename(columns={"measure": "outcome"})
    shown = COLUMNS[COLUMNS.index("outcome") : COLUMNS.index("n_needed")]
    found = about.merge(outcomes[[*TRIAL, *shown]], on=TRIAL, how="left")
    return found.merge(_deciding(ranked), on=TRIAL).merge(_guardrails(judged), on=TRIAL, how="left")[list(COLUMNS)]


def _about(rows: pd.DataFrame) -> pd.DataFrame:
    """Facts of each trial: one row per initiative x trial."""
    grouped = rows.groupby(TRIAL)
    about = grouped.agg(declared_on=("declared_on", "max"), started_on=("started_on", "min"),
                        ended_on=("ended_on", "max"), learned=("learned", "first"))  # fmt: skip
    said = rows.assign(assignment=rows["assignment"].fillna("not stated")).groupby(TRIAL)["assignment"]
    about["assignment"] = said.agg(lambda values: ", ".join(sorted(set(values))))
    about["fair"] = rows["assignment"].isin(COMPARISONS).groupby([rows[key] for key in TRIAL]).all()
    about["compared"] = about["fair"] & grouped["arm"].nunique().eq(2)
    dated = about["declared_on"].notna() & about["started_on"].notna()
    before = (about["declared_on"] <= about["started_on"]).astype(object)
    about["declared_before_start"] = before.where(dated, None)
    return about.reset_index()


def _compare(rows: pd.DataFrame) -> pd.DataFrame:
    """Set the arms side by side: one row per initiative x trial x measure, with the improvement's bounds."""
    key = [*TRIAL, "measure"]
    stated = rows.groupby(key, sort=False).agg(
        kind=("kind", "first"), direction=("direction", "first"), directions=("direction", "nunique"),
        target_effect=("target_effect", "max"), margin=("margin", "min"),
    )  # fmt: skip
    for arm in ("control", "treatment"):
        numbers = rows[rows["arm"] == arm].set_index(key)[["n", "mean", "sd", "successes"]]
        stated = stated.join(numbers.add_suffix(f"_{arm}"))
    compared = stated.reset_index()
    for low, high, level in (("low", "high", 0.95), ("lower", "upper", ONE_SIDED)):
        compared["improvement"], compared[low], compared[high] = _improvement(compared, level)
    compared["spread"] = _spread(compared)
    counted = compared["successes_treatment"].notna() & compared["successes_control"].notna()
    compared["unit"] = np.where(counted, "share", "")
    return compared


def _improvement(pairs: pd.DataFrame, level: float) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Improvement of each measure and its interval; missing where the arms cannot be compared."""
    n1, n0 = pairs["n_treatment"], pairs["n_control"]
    s1, s0 = pairs["successes_treatment"], pairs["successes_control"]
    shares, counted = s1 / n1 - s0 / n0, (s1 <= n1) & (s0 <= n0)
    low, high = statistics.newcombe_difference(s1.where(counted), n1, s0.where(counted), n0, level)
    means = statistics.welch_difference(
        pairs["mean_treatment"],
        pairs["sd_treatment"],
        n1,
        pairs["mean_control"],
        pairs["sd_control"],
        n0,
        level,
    )
    change = shares.where(counted, means.value)
    low, high = (pd.Series(share).where(counted, mean) for share, mean in ((low, means.low), (high, means.high)))
    agreed = pairs["directions"].eq(1) & low.notna()
    falling = pairs["direction"].eq("decrease")
    bounds = change.mask(falling, -change), low.mask(falling, -high), high.mask(falling, -low)
    return tuple(number.where(agreed) for number in bounds)


def _spread(pairs: pd.DataFrame) -> pd.Series:
    """Variance of a case, summed over both arms."""
    total = pd.Series(0.0, index=pairs.index)
    for arm in ("control", "treatment"):
        share = pairs[f"successes_{arm}"] / pairs[f"n_{arm}"]
        total += (share * (1 - share)).fillna(pairs[f"sd_{arm}"] ** 2)
    return total


def _judge(compared: pd.DataFrame) -> pd.DataFrame:
    """Give each measure its own word: one row per initiative x trial x measure."""
    lower, upper, target = compared["lower"], compared["upper"], compared["target_effect"]
    guardrail = compared["kind"].eq("guardrail")
    margin = compared["margin"].fillna(0.0)
    cases = [
        (lower.isna() | (~guardrail & target.isna()), NOT_ASSESSABLE),
        (guardrail & (-lower <= margin), SCALE),
        (guardrail & (-upper > margin), STOP),
        (guardrail & (-compared["improvement"] > margin), FIX),
        (guardrail, EXTEND),
        ((lower >= target) & compared["fair"], SCALE),
        ((lower >= target) | (upper >= target), EXTEND),
        (lower > 0, FIX),
    ]
    word = pd.Series(np.select([case for case, _ in cases], [word for _, word in cases], STOP), compared.index)
    caution = word.map({word: place for place, word in enumerate(CAUTION)})
    return compared.assign(verdict=word, caution=caution, is_guardrail=guardrail, margin_used=margin)


def _deciding(ranked: pd.DataFrame) -> pd.DataFrame:
    """The measure that decided each trial, why, and how many cases are still needed."""
    first = ranked.drop_duplicates(TRIAL)
    without = ~first.set_index(TRIAL).index.isin(ranked[~ranked["is_guardrail"]].set_index(TRIAL).index)
    undecided = without & (first["caution"] > CAUTION.index(NOT_ASSESSABLE))
    first = first.assign(verdict=first["verdict"].mask(undecided, NOT_ASSESSABLE), n_needed=_n_needed(first))
    first["n_needed"] = first["n_needed"].mask(undecided)
    upper = first["verdict"].isin([STOP, FIX])
    gain, harm = first["lower"].mask(upper, first["upper"]), -first["lower"].mask(upper, first["upper"])
    harm = harm.mask(first["verdict"].eq(FIX), -first["improvement"])
    first["deciding_bound"] = gain.mask(first["is_guardrail"], harm)
    first["reason"] = [_reason(row) for row in first.itertuples()]
    first = first.rename(columns={"measure": "deciding_measure", "kind": "deciding_kind"})
    return first[[*TRIAL, "verdict", "reason", "deciding_measure", "deciding_kind", "deciding_bound", "n_needed"]]


def _n_needed(rows: pd.DataFrame) -> pd.Series:
    """Cases per arm for the lower bound to reach what it misses: n = z^2 (v1 + v0) / gap^2."""
    seen = rows["improvement"]
    aim = rows["target_effect"].where(rows["lower"] > 0, 0.0).mask(rows["is_guardrail"], -rows["margin_used"])
    missed = rows["verdict"].eq(EXTEND) & (rows["lower"] < aim) & (seen > aim)
    needed = np.ceil(stats.norm.isf(0.05) ** 2 * rows["spread"] / (seen - aim).where(missed) ** 2).replace(
        np.inf, np.nan
    )
    # The normal approximation may fall short of the interval that was used: never fewer than one more case.
    return needed.clip(lower=rows[["n_control", "n_treatment"]].min(axis=1) + 1)


def _reason(row: Any) -> str:
    """Why the verdict is what it is, as a sentence."""
    text = _guardrail_reason(row) if row.is_guardrail else _outcome_reason(row)
    if pd.notna(row.n_needed):
        aim = "the target effect" if row.lower > 0 else "that it works at all"
        aim = "that harm stays within the margin" if row.is_guardrail else aim
        text += f"; to show {aim} takes about {int(row.n_needed):,} cases per arm if effect and spread stay as seen"
        text += f" ({int(row.n_control):,} and {int(row.n_treatment):,} so far)"
    return text + ("; the rule was written down after the start" if row.declared_before_start is False else "")


def _outcome_reason(row: Any) -> str:
    low, high, target = (f"{number:.4g}" for number in (row.lower, row.upper, row.target_effect))
    if pd.isna(row.lower):
        return f"{row.measure}: no comparison; both arms need n and successes, or n, mean and sd"
    if pd.isna(row.target_effect):
        return f"{row.measure}: no target effect was agreed"
    if row.verdict == EXTEND and row.lower >= row.target_effect:
        return (
            f"{row.measure}: reaches its target effect {target}, but the assignment is {row.assignment}; "
            "only random or matched arms show that it is the AI"
        )
    said = {
        SCALE: f"lower bound {low} reaches the target effect {target}",
        FIX: f"it works, lower bound {low}, but upper bound {high} stays below the target {target}",
        EXTEND: f"it works, but the target effect {target} lies between the bounds {low} and {high}"
        if row.lower > 0
        else f"inconclusive: bounds {low} and {high} hold both no effect and the target effect {target}",
        STOP: f"lower bound {low} shows no effect, upper bound {high} stays below the target {target}",
    }
    return f"{row.measure}: {said[row.verdict]}"


def _guardrail_reason(row: Any) -> str:
    if row.verdict == NOT_ASSESSABLE:
        missing = (
            "no comparison on this guardrail" if pd.isna(row.lower) else "no outcome was measured, only guardrails"
        )
        return f"{row.measure}: {missing}"
    point, low, high, margin = (f"{n:.4g}" for n in (-row.improvement, -row.upper, -row.lower, row.margin_used))
    stated = f"the margin {margin}" if pd.notna(row.margin) else "0, as no margin was agreed"
    said = {
        STOP: f"harm of at least {low} exceeds {stated}",
        FIX: f"harm seen, {point}, exceeds {stated}",
        EXTEND: f"harm of up to {high} is not ruled out, more than {stated}",
    }
    return f"{row.measure}: {said[row.verdict]}"


def _guardrails(judged: pd.DataFrame) -> pd.DataFrame:
    """Every guardrail of a trial with its finding, as one text."""
    found = judged[judged["is_guardrail"]]
    words = {
        SCALE: "holds",
        EXTEND: "harm not ruled out",
        FIX: "harm seen",
        STOP: "harmed",
        NOT_ASSESSABLE: "no comparison",
    }
    said = found["measure"].astype(str) + ": " + found["verdict"].map(words)
    return found.assign(guardrails=said).groupby(TRIAL, as_index=False)["guardrails"].agg("; ".join)
