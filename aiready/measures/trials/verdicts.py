"""Decide the verdict of each trial from its comparison, by the rule agreed before it."""

import numpy as np
import pandas as pd
from scipy import stats

from aiready.instrument.model import Settings
from aiready.measures.estimation import inference
from aiready.messages import ENGLISH
from aiready.messages.verdict_reasons import EXTEND, FIX, NOT_ASSESSABLE, SCALE, STOP, verdict_reason

TRIAL = ["initiative_id", "trial_no"]
CAUTION = (STOP, FIX, NOT_ASSESSABLE, EXTEND, SCALE)
"""Verdicts, the most cautious first: the most cautious of its measures is the verdict of the trial."""
COMPARISONS = ("random", "matched")
ONE_SIDED = 0.90
"""Two-sided level whose ends are the one-sided 95 % bounds L and U."""
COLUMNS = (
    *TRIAL, "verdict", "reason", "outcome", "direction", "unit", "improvement", "low", "high", "lower", "upper",
    "target_effect", "n_control", "n_treatment", "n_needed",
    "deciding_measure", "deciding_kind", "deciding_bound", "guardrails", "assignment", "compared",
    "declared_on", "started_on", "ended_on", "declared_before_start", "learned",
    "deciding_improvement", "deciding_lower", "deciding_upper", "deciding_target", "deciding_margin",
    "deciding_n_control", "deciding_n_treatment", "deciding_too_few",
)  # fmt: skip
_DECIDING = {
    "measure": "deciding_measure", "kind": "deciding_kind", "improvement": "deciding_improvement",
    "lower": "deciding_lower", "upper": "deciding_upper", "target_effect": "deciding_target",
    "margin": "deciding_margin", "n_control": "deciding_n_control", "n_treatment": "deciding_n_treatment",
    "too_few": "deciding_too_few",
}  # fmt: skip
"""Columns of the measure that decided, enough to give the reason in any language, and their names in the table."""


def verdict_table(trials: pd.DataFrame | None, minimum: int = Settings().minimum_group) -> pd.DataFrame:
    """The verdict of every trial: one row per initiative x trial, `COLUMNS`.

    Parameters
    ----------
    trials
        The checked table `trials`, or None; a blank `trial_no` is 1.
    minimum
        Cases that each arm needs to be compared, since a case may be a person.

    Returns
    -------
    pandas.DataFrame
        `improvement` in the outcome's `unit` (`share`: 0-1; blank: the measure's own), positive is better; `low`,
        `high` two-sided 95 %, `lower`, `upper` one-sided 95 % (L and U). `deciding_bound` is the bound that decided:
        of the improvement for an outcome, of the harm for a guardrail. `n_needed`: cases per arm at which L would
        reach what it misses (0 where inconclusive, else d; a guardrail's margin) with the observed effect and
        variance; missing where more cases cannot help. `deciding_*`: numbers of the measure that decided, its margin
        missing where none was agreed. `guardrails`: each with its finding. `compared`: has both arms, random or
        matched. `declared_before_start`: True, False, None (unknown).

    Notes
    -----
    With d the target effect: L >= d SCALE; 0 < L < d <= U EXTEND; 0 < L and U < d FIX; L <= 0 and U >= d
    EXTEND (inconclusive); L <= 0 and U < d STOP. Guardrail with margin m, harm = -improvement: upper bound
    <= m fine; lower bound > m STOP; point > m FIX; else EXTEND. The most cautious of all outcomes and
    guardrails holds, in the order STOP, FIX, NOT ASSESSABLE, EXTEND, SCALE; with several outcomes, all have
    to reach their target. Shares: Newcombe; means: Welch.

    *Missing data* never help: NOT ASSESSABLE without a comparison, a target effect or any outcome; a guardrail
    without a margin tolerates no harm (m = 0); SCALE requires `random` or `matched` in every row, else EXTEND. Where
    the arms state different target effects or margins, the stricter one counts.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17; Welch (1947), Biometrika 34.
    """
    if trials is None or trials.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = trials.assign(trial_no=trials["trial_no"].fillna(1).astype(int))
    rows = rows.drop_duplicates([*TRIAL, "measure", "arm"])
    rows["too_few"] = rows.groupby([*TRIAL, "measure"])["n"].transform("min").lt(minimum)
    rows = rows.assign(**{name: rows[name].mask(rows["too_few"]) for name in ("mean", "sd", "successes")})
    facts = _trial_facts(rows)
    measures = _judge_measures(_compare(rows).merge(facts, on=TRIAL))
    ranked = measures.sort_values([*TRIAL, "caution", "is_guardrail"], kind="stable")
    outcomes = ranked[~ranked["is_guardrail"]].drop_duplicates(TRIAL).rename(columns={"measure": "outcome"})
    outcome_columns = COLUMNS[COLUMNS.index("outcome") : COLUMNS.index("n_needed")]
    table = facts.merge(outcomes[[*TRIAL, *outcome_columns]], on=TRIAL, how="left")
    return table.merge(_deciding(ranked), on=TRIAL).merge(_guardrails(measures), on=TRIAL, how="left")[list(COLUMNS)]


def _trial_facts(rows: pd.DataFrame) -> pd.DataFrame:
    """Facts of each trial: one row per initiative x trial."""
    grouped = rows.groupby(TRIAL)
    about = grouped.agg(declared_on=("declared_on", "max"), started_on=("started_on", "min"),
                        ended_on=("ended_on", "max"), learned=("learned", "first"))  # fmt: skip
    assignments = rows.assign(assignment=rows["assignment"].fillna("not stated")).groupby(TRIAL)["assignment"]
    about["assignment"] = assignments.agg(lambda values: ", ".join(sorted(set(values))))
    about["fair"] = rows["assignment"].isin(COMPARISONS).groupby([rows[key] for key in TRIAL]).all()
    about["compared"] = about["fair"] & grouped["arm"].nunique().eq(2)
    dated = about["declared_on"].notna() & about["started_on"].notna()
    before = (about["declared_on"] <= about["started_on"]).astype(object)
    about["declared_before_start"] = before.where(dated, None)
    return about.reset_index()


def _compare(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare the arms: one row per initiative x trial x measure, with the improvement and its bounds."""
    key = [*TRIAL, "measure"]
    stated = rows.groupby(key, sort=False).agg(
        kind=("kind", "first"), direction=("direction", "first"), directions=("direction", "nunique"),
        target_effect=("target_effect", "max"), margin=("margin", "min"), too_few=("too_few", "max"),
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
    low, high = inference.newcombe_difference(s1.where(counted), n1, s0.where(counted), n0, level)
    means = inference.welch_difference(
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


def _judge_measures(compared: pd.DataFrame) -> pd.DataFrame:
    """Add the verdict of each measure alone: one row per initiative x trial x measure."""
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
    verdict = pd.Series(np.select([case for case, _ in cases], [name for _, name in cases], STOP), compared.index)
    caution = verdict.map({name: rank for rank, name in enumerate(CAUTION)})
    return compared.assign(verdict=verdict, caution=caution, is_guardrail=guardrail, margin_used=margin)


def _deciding(ranked: pd.DataFrame) -> pd.DataFrame:
    """The measure that decided each trial, the reason, and how many cases are needed."""
    first = ranked.drop_duplicates(TRIAL)
    without = ~first.set_index(TRIAL).index.isin(ranked[~ranked["is_guardrail"]].set_index(TRIAL).index)
    undecided = without & (first["caution"] > CAUTION.index(NOT_ASSESSABLE))
    first = first.assign(verdict=first["verdict"].mask(undecided, NOT_ASSESSABLE), n_needed=_n_needed(first))
    first["n_needed"] = first["n_needed"].mask(undecided)
    upper = first["verdict"].isin([STOP, FIX])
    gain, harm = first["lower"].mask(upper, first["upper"]), -first["lower"].mask(upper, first["upper"])
    harm = harm.mask(first["verdict"].eq(FIX), -first["improvement"])
    first["deciding_bound"] = gain.mask(first["is_guardrail"], harm)
    first = first.rename(columns=_DECIDING)
    first["reason"] = [verdict_reason(row, ENGLISH) for row in first.itertuples()]
    return first[[*TRIAL, "verdict", "reason", *_DECIDING.values(), "deciding_bound", "n_needed"]]


def _n_needed(rows: pd.DataFrame) -> pd.Series:
    """Cases per arm for the lower bound to reach the value it misses: n = z^2 (v1 + v0) / gap^2."""
    improvement = rows["improvement"]
    aim = rows["target_effect"].where(rows["lower"] > 0, 0.0).mask(rows["is_guardrail"], -rows["margin_used"])
    missed = rows["verdict"].eq(EXTEND) & (rows["lower"] < aim) & (improvement > aim)
    needed = np.ceil(stats.norm.isf(0.05) ** 2 * rows["spread"] / (improvement - aim).where(missed) ** 2).replace(
        np.inf, np.nan
    )
    # The normal approximation may give fewer cases than the interval in use needs: at least one more case.
    return needed.clip(lower=rows[["n_control", "n_treatment"]].min(axis=1) + 1)


def _guardrails(measures: pd.DataFrame) -> pd.DataFrame:
    """Each trial's guardrails with their findings, as one text."""
    guardrails = measures[measures["is_guardrail"]]
    words = {
        SCALE: "holds",
        EXTEND: "harm not ruled out",
        FIX: "harm seen",
        STOP: "harmed",
        NOT_ASSESSABLE: "no comparison",
    }
    findings = guardrails["measure"].astype(str) + ": " + guardrails["verdict"].map(words)
    return guardrails.assign(guardrails=findings).groupby(TRIAL, as_index=False)["guardrails"].agg("; ".join)
