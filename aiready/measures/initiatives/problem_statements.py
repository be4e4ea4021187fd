"""Problem statements: six parts, each absent, vague or checkable, and whether the whole is ready.

The words they are judged by stand in `problem_words.csv`.
"""

import numpy as np
import pandas as pd

from aiready.measures.initiatives.problem_words import patterns
from aiready.model.schema import TABLES

PARTS = ("metric", "baseline", "target", "deadline", "guardrail", "owner")
NEEDED = ("metric", "baseline", "target", "owner")
NOT_READY, VAGUE, READY = "NOT READY", "VAGUE", "READY"
MEND = {
    "metric": ("no outcome metric", "the outcome metric is no business figure with a unit"),
    "baseline": ("no baseline", ""),
    "target": ("no target", "the target lacks its number or its direction"),
    "deadline": ("no deadline", ""),
    "guardrail": ("no guardrail", "the guardrail has no limit"),
    "owner": ("no owner", "the owner is a body, not a role or a person"),
}


def problem_parts(initiatives: pd.DataFrame) -> pd.DataFrame:
    """Judge problem statements by their six parts: one row per initiative, index as given.

    Parameters
    ----------
    initiatives
        Any of `problem_statement`, `outcome_metric`, `metric_kind`, `direction`, `baseline`, `target`,
        `deadline`, `guardrail`, `owner`; an absent column is blank.

    Returns
    -------
    pandas.DataFrame
        `<part>_part` (0 absent, 1 vague, 2 checkable), `quality` (0-100, sum / 12 * 100), `ready`,
        `inconsistency` (text, empty: none), `verdict` (NOT READY, VAGUE, READY), `mend` (what is missing).

    Notes
    -----
    Checkable: a metric that names its unit (%, a rate or share, a time, a number of, per something); a
    baseline; a target with number and direction; a deadline; a guardrail with a number in it; an owner that
    is a role or a person, not a body. Without `outcome_metric`, a problem statement that names a change
    ("improve forecast accuracy") gives a vague metric, one that names a tool none. `metric_kind` model or
    activity: 1 at most, and so is a model's figure (accuracy, AUC) whose kind is not stated. READY: metric,
    baseline, target and owner are 2, none is 0, and the target lies on the better side of the baseline.
    VAGUE: the wording has to be sharpened, either because the metric is vague or because nothing is absent;
    else NOT READY. Placeholders (tbd, n/a) are blanks. The rules read words of three languages, not sense: show the
    text beside them.

    Examples
    --------
    >>> said = ["implement generative AI", "improve forecast accuracy in supply planning"]
    >>> problem_parts(pd.DataFrame({"problem_statement": said}))["verdict"].tolist()
    ['NOT READY', 'VAGUE']
    """
    given = initiatives.reindex(columns=list(TABLES["initiatives"].names))
    parts = _parts(given)
    inconsistency = inconsistency_of(given)
    sound, whole = inconsistency.eq(""), parts.gt(0).all(axis=1)
    ready = sound & whole & parts[list(NEEDED)].eq(2).all(axis=1)
    sharpen = sound & ~_capped(given) & (parts["metric"].eq(1) | whole)
    judged = parts.add_suffix("_part").assign(quality=parts.sum(axis=1) / (2 * len(PARTS)) * 100, ready=ready)
    judged["inconsistency"] = inconsistency
    judged["verdict"] = np.select([ready, sharpen], [READY, VAGUE], NOT_READY)
    return judged.assign(mend=_mend(parts, inconsistency))


def stated_text(column: pd.Series) -> pd.Series:
    """Lower-case text; blanks and placeholders are empty."""
    text = column.astype("string").fillna("").str.strip().str.lower()
    return text.mask(text.str.fullmatch(patterns()["placeholder"]), "")


def _parts(given: pd.DataFrame) -> pd.DataFrame:
    """0 absent, 1 vague, 2 checkable: one column per part."""
    words = patterns()
    number = {name: pd.to_numeric(given[name], errors="coerce").notna() for name in ("baseline", "target")}
    metric, guardrail, owner = (stated_text(given[name]) for name in ("outcome_metric", "guardrail", "owner"))
    changes = stated_text(given["problem_statement"]).str.contains(words["change"])
    named = _worded(metric, metric.str.contains(words["unit"])).mask(metric.eq("") & changes, 1)
    unsaid = given["metric_kind"].isna() & metric.str.contains(words["model"])
    a_body = owner.str.contains(words["body"]) & ~owner.str.contains(words["role"])
    return pd.DataFrame({
        "metric": named.mask(_capped(given) | unsaid, named.clip(upper=1)),
        "baseline": 2 * number["baseline"],
        "target": number["target"].astype(int) + given["direction"].isin(["increase", "decrease"]),
        "deadline": 2 * given["deadline"].notna(),
        "guardrail": _worded(guardrail, guardrail.str.contains(r"\d")),
        "owner": _worded(owner, ~a_body),
    }).astype(int)  # fmt: skip


def _worded(text: pd.Series, checkable: pd.Series) -> pd.Series:
    return text.ne("").astype(int) + (text.ne("") & checkable).astype(int)


def _capped(given: pd.DataFrame) -> pd.Series:
    """What a model or a project does is not what the business wants."""
    return given["metric_kind"].isin(["model", "activity"])


def inconsistency_of(given: pd.DataFrame) -> pd.Series:
    """A target that is no improvement on its baseline, in words."""
    baseline, target = (pd.to_numeric(given[name], errors="coerce") for name in ("baseline", "target"))
    up, down = given["direction"].eq("increase"), given["direction"].eq("decrease")
    wrong = (up & (target <= baseline)) | (down & (target >= baseline))
    numbers = (f"target {t:g} is no {d} on baseline {b:g}"
               for t, b, d in zip(target, baseline, given["direction"], strict=True))  # fmt: skip
    return pd.Series(list(numbers), given.index, dtype=object).where(wrong, "")


def _mend(parts: pd.DataFrame, inconsistency: pd.Series) -> pd.Series:
    """What is missing or vague, part by part, as one text."""
    found = pd.DataFrame({
        part: np.select([parts[part].eq(0), parts[part].eq(1)], [absent, vague], "")
        for part, (absent, vague) in MEND.items()
    }, index=parts.index).assign(inconsistency=inconsistency)  # fmt: skip
    return pd.Series(["; ".join(filter(None, row)) for row in found.to_numpy()], parts.index, dtype=object)
