"""Assess problem statements: six parts, each absent, vague or checkable, and whether the statement is ready.

The words they are assessed by are in `problem_words.csv`.
"""

import numpy as np
import pandas as pd

from aiready.measures.initiatives.problem_words import patterns
from aiready.model.schema import TABLES

PARTS = ("metric", "baseline", "target", "deadline", "guardrail", "owner")
NEEDED = ("metric", "baseline", "target", "owner")
NOT_READY, VAGUE, READY = "NOT READY", "VAGUE", "READY"
REPAIR_HINTS = {
    "metric": ("no outcome metric", "the outcome metric is no business figure with a unit"),
    "baseline": ("no baseline", ""),
    "target": ("no target", "the target lacks its number or its direction"),
    "deadline": ("no deadline", ""),
    "guardrail": ("no guardrail", "the guardrail has no limit"),
    "owner": ("no owner", "the owner is a body, not a role or a person"),
}
"""What to say of a part that is absent, and of one that is vague."""


def problem_parts(initiatives: pd.DataFrame) -> pd.DataFrame:
    """Assess problem statements by their six parts: one row per initiative, with the index of the input.

    Parameters
    ----------
    initiatives
        Any of `problem_statement`, `outcome_metric`, `metric_kind`, `direction`, `baseline`, `target`,
        `deadline`, `guardrail`, `owner`; an absent column is blank.

    Returns
    -------
    pandas.DataFrame
        `<part>_part` (0 absent, 1 vague, 2 checkable), `quality` (0-100, sum / 12 * 100), `ready`,
        `inconsistency` (text, empty: none), `verdict` (NOT READY, VAGUE, READY), `mend` (what is missing or vague).

    Notes
    -----
    Checkable: a metric that names its unit (%, a rate or share, a time, a number of, per something); a
    baseline; a target with number and direction; a deadline; a guardrail with a number in it; an owner that
    is a role or a person, not a body. Without `outcome_metric`, a problem statement that names a change
    ("improve forecast accuracy") gives a vague metric, one that names a tool none. `metric_kind` model or
    activity: 1 at most, and so is a model's figure (accuracy, AUC) whose kind is not stated. READY: metric,
    baseline, target and owner are 2, none is 0, and the target lies on the better side of the baseline.
    VAGUE: the wording has to be sharpened, either because the metric is vague or because nothing is absent;
    else NOT READY. Placeholders (tbd, n/a) are blanks. The rules match words of three languages and do not understand
    the text: show it beside the result.

    Examples
    --------
    >>> texts = ["implement generative AI", "improve forecast accuracy in supply planning"]
    >>> problem_parts(pd.DataFrame({"problem_statement": texts}))["verdict"].tolist()
    ['NOT READY', 'VAGUE']
    """
    statements = initiatives.reindex(columns=list(TABLES["initiatives"].names))
    parts = _parts(statements)
    inconsistency = inconsistency_of(statements)
    sound, complete = inconsistency.eq(""), parts.gt(0).all(axis=1)
    ready = sound & complete & parts[list(NEEDED)].eq(2).all(axis=1)
    sharpen = sound & ~_metric_is_capped(statements) & (parts["metric"].eq(1) | complete)
    assessed = parts.add_suffix("_part").assign(quality=parts.sum(axis=1) / (2 * len(PARTS)) * 100, ready=ready)
    assessed["inconsistency"] = inconsistency
    assessed["verdict"] = np.select([ready, sharpen], [READY, VAGUE], NOT_READY)
    return assessed.assign(mend=_repair_hints(parts, inconsistency))


def stated_text(column: pd.Series) -> pd.Series:
    """Lower-case text, empty for blanks and placeholders."""
    text = column.astype("string").fillna("").str.strip().str.lower()
    return text.mask(text.str.fullmatch(patterns()["placeholder"]), "")


def _parts(statements: pd.DataFrame) -> pd.DataFrame:
    """State of each part, one column per part: 0 absent, 1 vague, 2 checkable."""
    words = patterns()
    number = {name: pd.to_numeric(statements[name], errors="coerce").notna() for name in ("baseline", "target")}
    metric, guardrail, owner = (stated_text(statements[name]) for name in ("outcome_metric", "guardrail", "owner"))
    changes = stated_text(statements["problem_statement"]).str.contains(words["change"])
    metric_state = _text_state(metric, metric.str.contains(words["unit"])).mask(metric.eq("") & changes, 1)
    kind_unknown = statements["metric_kind"].isna() & metric.str.contains(words["model"])
    is_body = owner.str.contains(words["body"]) & ~owner.str.contains(words["role"])
    return pd.DataFrame({
        "metric": metric_state.mask(_metric_is_capped(statements) | kind_unknown, metric_state.clip(upper=1)),
        "baseline": 2 * number["baseline"],
        "target": number["target"].astype(int) + statements["direction"].isin(["increase", "decrease"]),
        "deadline": 2 * statements["deadline"].notna(),
        "guardrail": _text_state(guardrail, guardrail.str.contains(r"\d")),
        "owner": _text_state(owner, ~is_body),
    }).astype(int)  # fmt: skip


def _text_state(text: pd.Series, checkable: pd.Series) -> pd.Series:
    """State of a part that is a text: 0 empty, 2 checkable, else 1."""
    return text.ne("").astype(int) + (text.ne("") & checkable).astype(int)


def _metric_is_capped(statements: pd.DataFrame) -> pd.Series:
    """Whether the metric is at most vague: what a model or a project does is no outcome of the business."""
    return statements["metric_kind"].isin(["model", "activity"])


def inconsistency_of(statements: pd.DataFrame) -> pd.Series:
    """Sentence on a target that is no improvement on its baseline; else empty."""
    baseline, target = (pd.to_numeric(statements[name], errors="coerce") for name in ("baseline", "target"))
    up, down = statements["direction"].eq("increase"), statements["direction"].eq("decrease")
    wrong = (up & (target <= baseline)) | (down & (target >= baseline))
    numbers = (f"target {t:g} is no {d} on baseline {b:g}"
               for t, b, d in zip(target, baseline, statements["direction"], strict=True))  # fmt: skip
    return pd.Series(list(numbers), statements.index, dtype=object).where(wrong, "")


def _repair_hints(parts: pd.DataFrame, inconsistency: pd.Series) -> pd.Series:
    """What is missing or vague in each statement, as one text."""
    hints = pd.DataFrame({
        part: np.select([parts[part].eq(0), parts[part].eq(1)], [absent, vague], "")
        for part, (absent, vague) in REPAIR_HINTS.items()
    }, index=parts.index).assign(inconsistency=inconsistency)  # fmt: skip
    return pd.Series(["; ".join(filter(None, row)) for row in hints.to_numpy()], parts.index, dtype=object)
