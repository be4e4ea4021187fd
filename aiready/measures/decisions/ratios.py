"""Define the measures of the decision log that are ratios of two counts."""

from dataclasses import dataclass

from aiready.measures.decisions.counts import LEVELS
from aiready.model.registry import ALL


@dataclass(frozen=True)
class Ratio:
    """One measure as a ratio of two counts: `of` / `among`, with the sum of squares of `of` for a mean.

    `empty`: the note where `among` is 0. `coverage`: the counts of known and of all cases, whose ratio has to reach
    the coverage floor. `least` and `most`: the same ratio with the unknown cases taken as no and as yes, so that a
    blank is never better than a no.
    """

    measure: str
    of: str
    among: str
    empty: str
    segment: str = ALL
    squares: str = ""
    coverage: tuple[str, str] | None = None
    least: tuple[str, str] | None = None
    most: tuple[str, str] | None = None


RATIOS = (
    Ratio("label_coverage", "labels", "eligible", "no decision was taken long enough ago"),
    Ratio("human_accuracy", "human_right", "human_judged", "no outcome is known where people decided first"),
    Ratio("advice_accuracy", "advice_right", "advice_judged", "no outcome is known where there was advice"),
    Ratio("decision_accuracy", "right", "scored", "no outcome of a decision is known yet"),
    Ratio("reliance_on_right_advice", "ira_taken", "ira", "nobody was wrong where the advice was right"),
    Ratio("self_reliance", "raw_kept", "raw", "nobody was right where the advice was wrong"),
    Ratio("over_reliance", "wrong_followed", "wrong_advice", "no advice is known to have been wrong"),
    Ratio("under_reliance", "broken", "right_advice", "no advice is known to have been right"),
    Ratio("override_rate", "overridden", "advised_final", "no decision was taken with advice"),
    Ratio("override_correct", "fixed", "overridden_judged", "no overridden advice has a known outcome"),
    Ratio("net_override_value", "net", "judged", "no advised decision has a known outcome", squares="net_sq"),
    Ratio("autonomy_share", "automatic", "levelled", "no autonomy level is recorded",
          coverage=("levelled", "decided"), least=("automatic", "decided"), most=("automatic_possible", "decided")),
    Ratio("effective_autonomy", "lasting", "levelled", "no autonomy level is recorded",
          coverage=("levelled", "decided"), least=("lasting", "decided"), most=("lasting_possible", "decided")),
    Ratio("autonomy_index", "level_sum", "levelled", "no autonomy level is recorded", squares="level_sq",
          coverage=("levelled", "decided")),
    *(
        Ratio("error_rate", f"wrong_{level}", f"scored_{level}", "no known outcome here", f"level {level}")
        for level in LEVELS
    ),
    Ratio("context_coverage", "context_complete", "context_known", "`context_complete` is not recorded",
          coverage=("context_known", "decisions"), least=("context_complete", "decisions"),
          most=("context_possible", "decisions")),
    Ratio("unsafe_answer_rate", "unsafe", "incomplete", "no case lacked context, or none was recorded",
          coverage=("context_known", "decisions"), least=("unsafe", "incomplete_unadvised_unknown"),
          most=("unsafe_possible", "incomplete_advised_unknown")),
    Ratio("advice_in_time_share", "in_time", "timed", "`advice_at` is not recorded",
          coverage=("timed", "advised_decided"), least=("in_time", "advised_decided"),
          most=("in_time_possible", "advised_decided")),
    # No variable in 0-1 varies more than a binary one of the same mean: Wilson's interval is wide enough.
    Ratio("brier", "brier_sum", "brier_n", "no stated confidence has a known outcome"),
)  # fmt: skip
BOUNDS = tuple(
    Ratio(ratio.measure, *ends, ratio.empty)
    for ratio in RATIOS
    for ends in (ratio.least, ratio.most)
    if ends is not None
)
"""Least and most of each ratio that has them, in pairs."""
COMPLEMENTARITY = (
    Ratio("complementarity", "team_human", "trio", "", squares="team_human_sq"),
    Ratio("complementarity", "team_advice", "trio", "", squares="team_advice_sq"),
)
"""The gain of people with advice over people alone, and over advice alone."""
