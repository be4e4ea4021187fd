"""The instrument as data: barriers, items, indicators, bands, actions, patterns, sources and settings."""

from dataclasses import dataclass

import pandas as pd

from aiready.schema import GOVERNANCE_CHECKS


@dataclass(frozen=True)
class Settings:
    """Conventions an analyst may change in `settings.csv`; a missing or zero setting means the default here.

    Durations are days, shares 0-1, points on the 0-100 scale.
    """

    scale_points: int = 5
    minimum_group: int = 5
    minimum_distribution: int = 10
    minimum_headcount_unknown_deciders: int = 20
    response_rate_floor: float = 0.30
    dont_know_finding: float = 0.30
    flag_fdr: float = 0.10
    flag_points: float = 5.0
    rank_rwg: float = 0.70
    rank_p: float = 0.05
    rank_icc2: float = 0.70
    minimum_shrinkage_units: int = 5
    minimum_records: int = 3
    minimum_coverage: float = 0.60
    minimum_indicators: int = 2
    minimum_probes: int = 30
    minimum_deciders_bootstrap: int = 20
    target_fresh_days: int = 90
    monitoring_fresh_days: int = 90
    user_changes_days: int = 90
    limits_review_days: int = 180
    stalled_stage_days: int = 180
    stalled_idle_days: int = 30
    label_days: int = 0
    reversal_days: int = 30
    feedback_closed_days: int = 30
    indicator_action_points: float = 60.0
    sensitivity_draws: int = 2000
    sensitivity_concentration: float = 50.0
    bootstrap_draws: int = 1000
    seed: int = 20260930
    roles_doing: tuple[str, ...] = ("frontline", "technical")
    roles_leading: tuple[str, ...] = ("manager", "executive")
    governance_checks_low: tuple[str, ...] = ("privacy_reviewed", "human_oversight", "feedback_channel")
    governance_checks_high: tuple[str, ...] = GOVERNANCE_CHECKS


@dataclass(frozen=True)
class Instrument:
    """The questionnaire and its rules, read and proven.

    `barriers` (barrier_id, name, statement): one row per barrier, in order.
    `items` (item_id, barrier_id, facet, theme, wording, level_1 ... level_L, roles, reverse_scored,
    replaces): one row per item in the order asked; `roles` a tuple, `reverse_scored` a bool.
    `indicators` (indicator_id, barrier_id, facet, measure, value_at_0, value_at_100, weight): one row each.
    `bands` (band, at_least, name): ascending. `actions`, `patterns`, `sources`, `blockers`: one row each.
    `digest` identifies the normalised wording; `version` is what the analyst calls it.
    """

    barriers: pd.DataFrame
    items: pd.DataFrame
    indicators: pd.DataFrame
    bands: pd.DataFrame
    actions: pd.DataFrame
    patterns: pd.DataFrame
    sources: pd.DataFrame
    blockers: pd.DataFrame
    settings: Settings
    intro: str
    version: str
    digest: str
