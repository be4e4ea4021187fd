"""Make the sample's records of events: decisions, feedback and probes."""

import numpy as np
import pandas as pd

from aiready.model.schema import TABLES
from tools.sample.seeds import CLOSING_TIME, FIRST_DAY, LAST_DAY, leaf_units, seed_table

_ALONE, _ON_REQUEST, _ALWAYS_ADVISED = 0.06, 0.24, 0.7  # shares among what people decide
_AI_ACTS, _AI_ALONE = 0.7, 0.3  # shares among what AI decides
_AGREES_IF_SAME = 0.985
_PERSON_SD = 0.08
_FLAGS, _PROBES_PER_UNIT = 500, 40
_PROBED = {
    "motor-claims": "knowledge-search",
    "property-claims": "knowledge-search",
    "contact-centre": "knowledge-search",
    "policy-administration": "knowledge-search",
    "commercial-underwriting": "wording-search",
}


def make_decisions(rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per decision of six teams over four quarters, in the order opened."""
    teams = [_team_decisions(team, rng) for _, team in seed_table("decision_teams").iterrows()]
    log = pd.concat(teams, ignore_index=True).sort_values("opened_at", kind="stable", ignore_index=True)
    log.insert(0, "decision_id", [f"d-{number:06d}" for number in range(1, len(log) + 1)])
    return log[list(TABLES["decisions"].names)]


def _team_decisions(team: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    n = int(team["decisions"])
    decider = rng.integers(0, int(team["deciders"]), n)
    log = pd.DataFrame({"unit_id": team["unit_id"], "initiative_id": team["initiative_id"]}, index=range(n))
    log["decider_id"] = [f"{team['unit_id'][:2]}-{number:02d}" for number in decider + 1]
    log["opened_at"] = _office_hours(n, rng)
    by_people = (1 - team["automatic"]) * np.array([_ALONE, _ON_REQUEST, _ALWAYS_ADVISED])
    by_ai = team["automatic"] * np.array([_AI_ACTS, _AI_ALONE])
    log["autonomy_level"] = rng.choice(5, n, p=[*by_people, *by_ai])
    log["context_complete"] = np.where(rng.random(n) < team["context"], "yes", "no")
    log = _with_times(log, team, rng)
    log = _with_labels(log, team, decider, rng)
    return _with_outcomes(log, team, rng)


def _office_hours(n: int, rng: np.random.Generator) -> pd.Series:
    """Random timestamps on working days between 8:00 and 18:00, to the second."""
    days = pd.bdate_range(FIRST_DAY, LAST_DAY)
    seconds = rng.integers(8 * 3600, 18 * 3600, n)
    return pd.Series(days[rng.integers(0, len(days), n)] + pd.to_timedelta(seconds, unit="s"))


def _hours_later(start: pd.Series, hours: np.ndarray) -> pd.Series:
    """Timestamps some hours later; missing where that is after the end of the sample."""
    later = start + pd.to_timedelta(np.rint(hours * 3600), unit="s")
    return later.where(later <= CLOSING_TIME)


def _with_times(log: pd.DataFrame, team: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Add when advice and decision came; a case not decided by the end of the sample is open."""
    n = len(log)
    # In a careful team the AI gives no advice, and a person decides, where context is missing.
    silent = (log["context_complete"] == "no") & (rng.random(n) >= team["unsafe"])
    level = log["autonomy_level"].mask(silent & (log["autonomy_level"] > 2), 1)
    wait = team["median_hours"] * np.exp(rng.normal(0, team["spread"], n))
    wait = np.where(level == 4, np.minimum(wait, 0.05), wait)
    # In teams with little context, advice waits for documents and comes after the decision more often.
    late = rng.random(n) < 0.02 + 0.5 * (1 - team["context"])
    ready = np.where(late, wait * rng.uniform(1.05, 2, n), wait * rng.uniform(0.01, 0.3, n))
    is_open = rng.random(n) < team["open_share"]
    return log.assign(
        autonomy_level=level,
        advice_at=_hours_later(log["opened_at"], ready).where((level > 0) & ~silent),
        decided_at=_hours_later(log["opened_at"], wait).mask(is_open),
    )


def _with_labels(log: pd.DataFrame, team: pd.Series, decider: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Add what was right, what the AI advised, what the person thought first, and what was decided."""
    n, labels = len(log), np.array(team["labels"].split(";"))
    truth = rng.choice(len(labels), n, p=(0.55, 0.25, 0.2))
    advice = _right_with_probability(truth, team["advice_accuracy"], len(labels), rng)
    first = _right_with_probability(truth, team["human_accuracy"], len(labels), rng)
    follows = _follows_advice(log, team, decider, (truth, advice, first), rng)
    own = np.where(first == advice, (advice + 1) % len(labels), first)
    advised, decided = log["advice_at"].notna(), log["decided_at"].notna()
    final = np.where(advised, np.where(follows, advice, own), first)
    asked_first = decided & (log["autonomy_level"] < 3) & (rng.random(n) < 0.6)
    confidence = np.where(advice == truth, rng.beta(9, 2, n), rng.beta(6, 3, n))
    return log.assign(
        advice=pd.Series(labels[advice]).where(advised),
        advice_confidence=pd.Series(confidence.round(2)).where(advised),
        initial_decision=pd.Series(labels[first]).where(asked_first),
        final_decision=pd.Series(labels[final]).where(decided),
        correct_decision=pd.Series(labels[truth]),
    )


def _follows_advice(
    log: pd.DataFrame,
    team: pd.Series,
    decider: np.ndarray,
    views: tuple[np.ndarray, np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Whether advice is followed: nearly always where it agrees, else as often as the team and the person do."""
    truth, advice, first = views
    person = rng.normal(0, _PERSON_SD, int(team["deciders"]))[decider]
    against_own_view = np.where(advice == truth, team["follows_right"], team["follows_wrong"]) + person
    follows = np.where(first == advice, _AGREES_IF_SAME, against_own_view)
    return np.asarray((rng.random(len(log)) < follows) | (log["autonomy_level"] == 4))


def _right_with_probability(truth: np.ndarray, right: float, n_labels: int, rng: np.random.Generator) -> np.ndarray:
    wrong = (truth + rng.integers(1, n_labels, len(truth))) % n_labels
    return np.where(rng.random(len(truth)) < right, truth, wrong)


def _with_outcomes(log: pd.DataFrame, team: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Add outcomes (for most decisions, days later) and reversals, and blank some cells of `context_complete`."""
    n = len(log)
    outcome_at = _hours_later(log["decided_at"], 24 * rng.lognormal(np.log(5), 0.7, n))
    outcome_at = outcome_at.where(rng.random(n) < team["known"])
    wrong = log["final_decision"] != log["correct_decision"]
    reversed_at = _hours_later(log["decided_at"], 24 * rng.uniform(1, 45, n))
    return log.assign(
        outcome_at=outcome_at,
        correct_decision=log["correct_decision"].where(outcome_at.notna()),
        reversed_at=reversed_at.where(rng.random(n) < np.where(wrong, 0.08, 0.01)),
        context_complete=log["context_complete"].where(rng.random(n) < 0.95),
    )


def make_feedback(usage: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per flag; units that involve their users raise more flags and answer more of them."""
    units = leaf_units().query("recorded > 0 and headcount > 20")
    raised = units["headcount"] * units["user_involvement"]
    flags = pd.DataFrame({"unit_id": rng.choice(units.index, _FLAGS, p=raised / raised.sum())})
    flags["initiative_id"] = _pick_used_initiatives(flags["unit_id"], usage, rng)
    flags["flagged_at"] = _office_hours(_FLAGS, rng).sort_values(ignore_index=True)
    flags["category"] = rng.choice(
        ["fault", "unclear", "missing_context", "idea", "insight"], _FLAGS, p=[0.4, 0.15, 0.2, 0.15, 0.1]
    )
    flags.insert(0, "feedback_id", [f"f-{number:04d}" for number in range(1, _FLAGS + 1)])
    return _with_answers(flags, rng)[list(TABLES["feedback"].names)]


def _pick_used_initiatives(unit_ids: pd.Series, usage: pd.DataFrame, rng: np.random.Generator) -> list[str]:
    in_use = usage.groupby("unit_id")["initiative_id"].unique()
    return [str(rng.choice(in_use[unit_id])) for unit_id in unit_ids]


def _with_answers(flags: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(flags)
    listens = flags["unit_id"].map(leaf_units()["user_involvement"]) / 100
    answered_at = _hours_later(flags["flagged_at"], 24 * rng.lognormal(np.log(4), 0.9, n))
    answered_at = answered_at.where(rng.random(n) < 0.25 + listens * 0.9)
    fate = rng.random(n)
    # Most changes take weeks; units that listen change more, and sooner.
    change_days = rng.lognormal(np.log(26 - 26 * listens), 0.6, n)
    return flags.assign(
        answered_at=answered_at,
        deployed_at=_hours_later(answered_at, 24 * change_days).where(fate < (1.25 * listens).clip(upper=0.9)),
        declined_at=answered_at.where(fate > 0.9),
    )


def make_probes(rng: np.random.Generator) -> pd.DataFrame:
    """Make one row per question put to the AI: the same forty questions in five units, in the last month."""
    number = [f"q-{question:02d}" for question in range(1, _PROBES_PER_UNIT + 1)]
    probes = pd.DataFrame({"unit_id": list(_PROBED)}).merge(pd.DataFrame({"question_id": number}), how="cross")
    knows = 0.35 + 0.9 * probes["unit_id"].map(leaf_units()["context_fit"]) / 100
    probes["initiative_id"] = probes["unit_id"].map(_PROBED)
    seconds_of_day = rng.integers(9 * 3600, 17 * 3600, len(probes))
    probes["asked_at"] = pd.Timestamp("2026-09-14") + pd.to_timedelta(seconds_of_day, unit="s")
    probes["correct"] = np.where(rng.random(len(probes)) < knows, "yes", "no")
    return probes[list(TABLES["probes"].names)]
