"""The sample organisation: seeded, complete, plausible, and with its planted effects there to be found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aiready.errors import UsageError
from aiready.model.schema import TABLES
from aiready.package_files import copy_sample
from tools.sample.organisation import make_sample, shipped_items, write_sample
from tools.sample.seeds import CLOSING_TIME, WAVES, seed_table

KEPT = Path(__file__).parents[1] / "data" / "sample"
LEADING = ("manager", "executive")


@pytest.fixture(scope="module")
def sample() -> dict[str, pd.DataFrame]:
    return make_sample()


@pytest.fixture(scope="module")
def scores(sample) -> pd.DataFrame:
    """One row per respondent: unit, wave, segment and the plain mean of each barrier's items, 0-100."""
    responses = sample["responses"]
    people = responses[["unit_id", "wave"]].assign(leading=responses["role"].isin(LEADING))
    for barrier, items in shipped_items().groupby("barrier_id"):
        levels = responses[list(items["item_id"])].apply(pd.to_numeric, errors="coerce")
        people[barrier] = (levels.where(levels.isin(range(1, 6))).mean(axis=1) - 1) * 25
    return people


@pytest.fixture(scope="module")
def judged(sample) -> pd.DataFrame:
    """Decisions with advice whose outcome is known."""
    return sample["decisions"].dropna(subset=["advice", "final_decision", "correct_decision"])


def newest(usage: pd.DataFrame) -> pd.DataFrame:
    return usage[usage["wave"].fillna(WAVES[-1]) == WAVES[-1]]


def adoption(usage: pd.DataFrame) -> pd.Series:
    totals = usage.groupby("unit_id")[["active_users", "intended_users"]].sum()
    return totals["active_users"] / totals["intended_users"]


def realised_rate(tasks: pd.DataFrame) -> pd.Series:
    hours = tasks["hours_per_year"] * tasks["headcount"]
    kept = hours * tasks["adoption"] * tasks["observed_saving"] * (1 - tasks["rework"])
    realised = kept.fillna(0) - (tasks["oversight_hours"] * tasks["headcount"]).fillna(0)
    potential = (hours * tasks["expected_saving"]).fillna(0)
    return realised.groupby(tasks["unit_id"]).sum() / potential.groupby(tasks["unit_id"]).sum()


# Seeded and kept


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_other_answers(tmp_path):
    for name in ("one", "two"):
        write_sample(tmp_path / name)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    write_sample(tmp_path / "other", seed=7)
    other = (tmp_path / "other" / "responses.csv").read_bytes()
    assert other != (tmp_path / "one" / "responses.csv").read_bytes()


@pytest.mark.slow
def test_kept_sample_is_what_the_code_writes(tmp_path):
    write_sample(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in KEPT.iterdir()}
    for path in tmp_path.glob("*.csv"):
        assert path.read_bytes() == (KEPT / path.name).read_bytes(), path.name
    made, kept = (pd.read_parquet(folder / "decisions.parquet") for folder in (tmp_path, KEPT))
    pd.testing.assert_frame_equal(made, kept)


def test_the_sample_is_copied_as_it_is_kept_and_again_over_itself(tmp_path):
    for _ in range(2):
        copy_sample(tmp_path)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            path.name: path.read_bytes() for path in KEPT.iterdir()
        }


def test_sample_never_overwrites_other_data(tmp_path):
    theirs = tmp_path / "responses.csv"
    theirs.write_text("unit_id\nclaims\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something other than the sample"):
        copy_sample(tmp_path)
    assert theirs.read_text(encoding="utf-8") == "unit_id\nclaims\n"


def test_kept_sample_is_small_enough_for_git():
    assert (KEPT / "decisions.parquet").stat().st_size < 3_000_000
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < 4_000_000


# Complete and plausible


def test_counts_are_those_documented(sample):
    units, tasks = sample["units"], sample["tasks"]
    assert units["parent_id"].notna().sum() == 14
    assert units["parent_id"].nunique() == 4
    assert len(units) == 18
    assert tuple(sorted(sample["responses"]["wave"].unique())) == WAVES
    assert 3_800 <= len(sample["responses"]) <= 4_200
    assert len(sample["initiatives"]) == 60
    assert sample["workflow_steps"]["workflow"].nunique() == 12
    assert len(sample["decisions"]) == 60_000
    assert len(sample["feedback"]) == 500
    assert len(sample["actions"]) == 30
    assert tasks["task"].nunique() >= 250


def test_each_of_forty_jobs_has_fifteen_to_twenty_distinct_tasks(sample):
    per_job = sample["tasks"].groupby(["unit_id", "job"])["task_id"].agg(["size", "nunique"])
    assert len(per_job) == 40
    assert per_job["size"].between(15, 20).all()
    assert (per_job["size"] == per_job["nunique"]).all()


def test_each_workflow_is_told_before_now_and_as_aimed_at(sample):
    versions = sample["workflow_steps"].groupby("workflow")["version"].nunique()
    assert (versions == 3).all()


def test_columns_and_choices_are_those_of_the_schema(sample):
    item_ids = set(shipped_items()["item_id"])
    for name, table in TABLES.items():
        made = sample[name]
        assert set(made) <= set(table.names) | item_ids, name
        assert {column.name for column in table.columns if column.required} <= set(made), name
        for column in table.columns:
            if column.allowed and column.name in made:
                assert set(made[column.name].dropna()) <= set(column.allowed), (name, column.name)


def test_nothing_happened_after_the_last_day(sample):
    for name, table in TABLES.items():
        for column in table.columns:
            if column.happened and column.name in sample[name]:
                latest = pd.to_datetime(sample[name][column.name]).max()
                assert pd.isna(latest) or latest <= CLOSING_TIME, (name, column.name)
    assert sample["decisions"]["decided_at"].max().normalize() == pd.Timestamp("2026-09-30")


def test_rows_point_to_units_and_initiatives_that_exist(sample):
    units, initiatives = set(sample["units"]["unit_id"]), set(sample["initiatives"]["initiative_id"])
    for name in TABLES:
        made = sample[name]
        if "unit_id" in made and name != "units":
            assert set(made["unit_id"]) - units == ({"motor-claim"} if name == "usage" else set())
        if "initiative_id" in made:
            assert set(made["initiative_id"].dropna()) <= initiatives, name


def test_people_counts_fit_the_headcount(sample):
    headcount = sample["units"].set_index("unit_id")["headcount"]
    holders = sample["tasks"].drop_duplicates(["unit_id", "job"])
    by_unit = holders.groupby("unit_id")["headcount"].sum()
    assert (by_unit <= headcount.loc[by_unit.index]).all()
    assert holders["headcount"].lt(5).sum() == 3
    usage = sample["usage"][sample["usage"]["unit_id"].isin(headcount.index)]
    assert (usage["intended_users"].to_numpy() <= headcount.loc[usage["unit_id"]].to_numpy()).all()
    assert (usage["active_users"] <= usage["intended_users"]).all()


def test_unanswered_kinds_are_all_there_but_rare(sample):
    items = shipped_items()
    everybody = list(items.loc[items["roles"].str.len() == 4, "item_id"])
    shares = sample["responses"][everybody].stack().value_counts(normalize=True)
    assert 0.01 < shares["don't know"] < 0.1
    assert 0.005 < shares["n/a"] < 0.05
    assert 0.005 < shares[""] < 0.05


def test_at_most_a_quarter_of_survey_cells_has_fewer_than_five_people(scores):
    by_segment = scores.groupby(["unit_id", "wave", "leading"]).size().unstack(fill_value=0)
    cells = by_segment.assign(all=by_segment.sum(axis=1))
    assert cells.shape == (14 * 4, 3)
    assert (cells < 5).to_numpy().mean() <= 0.25
    few = (cells < 5).any(axis=1)
    assert set(few[few].index.get_level_values("unit_id")) == {"treasury"}


def test_decision_teams_are_of_believable_size_and_label_coverage(sample):
    decisions = sample["decisions"]
    deciders = decisions.groupby("unit_id")["decider_id"].nunique()
    assert len(deciders) == 6
    assert deciders.between(25, 60).all()
    decided = decisions[decisions["decided_at"].notna()]
    known = decided["correct_decision"].notna().groupby(decided["unit_id"]).mean()
    assert known.between(0.6, 0.82).all()
    assert 0.3 < decided["initial_decision"].notna().mean() < 0.6
    assert 0 < decisions["decided_at"].isna().mean() < 0.03


def test_stamps_are_whole_seconds(sample):
    stamps = sample["decisions"][["opened_at", "advice_at", "decided_at", "outcome_at", "reversed_at"]]
    assert (stamps.stack().dt.floor("s") == stamps.stack()).all()


# Messy on purpose


def test_exactly_eight_rows_break_a_rule(sample):
    responses, decisions, feedback = sample["responses"], sample["decisions"], sample["feedback"]
    answers = responses[list(shipped_items()["item_id"])].apply(pd.to_numeric, errors="coerce")
    assert (answers.notna() & ~answers.isin(range(1, 6))).any(axis=1).sum() == 3
    assert responses.duplicated(["respondent_id", "wave"]).sum() == 1
    assert (decisions["decided_at"] < decisions["opened_at"]).sum() == 1
    assert (feedback["answered_at"] < feedback["flagged_at"]).sum() == 1
    assert (sample["tasks"]["adoption"] > 1).sum() == 1
    assert (~sample["usage"]["unit_id"].isin(sample["units"]["unit_id"])).sum() == 1


# Planted effects


def test_contact_centre_leaders_see_another_world(scores):
    by_segment = scores.drop(columns=["wave"]).groupby(["unit_id", "leading"]).mean().mean(axis=1).unstack()
    gap = (by_segment[True] - by_segment[False]).drop("treasury")
    assert 22 < gap["contact-centre"] < 34
    assert gap.drop("contact-centre").max() < 16


def test_actuarial_pricing_is_rich_in_models_and_poor_in_use(sample):
    owned = sample["initiatives"]["unit_id"].value_counts()
    assert owned["actuarial-pricing"] == owned.drop("data-it").max()
    in_use = adoption(newest(sample["usage"]))
    assert in_use["actuarial-pricing"] < 0.2
    assert in_use.drop(["actuarial-pricing", "treasury"]).min() > 0.3
    rates = realised_rate(sample["tasks"][sample["tasks"]["adoption"].fillna(0) <= 1])
    assert rates.idxmin() == "actuarial-pricing"
    assert rates["actuarial-pricing"] < 0.12


def test_property_claims_involves_users_and_wins(sample, scores):
    involvement = scores[scores["wave"] == WAVES[-1]].groupby("unit_id")["user_involvement"].mean()
    assert involvement.drop("treasury").idxmax() == "property-claims"
    assert involvement["property-claims"] > 65
    assert adoption(newest(sample["usage"]))["property-claims"] > 0.7
    started = sample["initiatives"].query("unit_id == 'property-claims'")["users_involved"]
    assert started.isin(["idea", "design"]).all()
    changed = sample["feedback"].groupby("unit_id")["deployed_at"].agg(lambda stamp: stamp.notna().mean())
    assert changed["property-claims"] == changed.max()


def test_treasury_is_too_small_to_show(scores):
    answers = scores[scores["unit_id"] == "treasury"].groupby("wave").size()
    assert answers.between(1, 4).all()


def test_quote_follow_up_only_looks_good(sample):
    trial = sample["trials"].query("initiative_id == 'quote-follow-up'")
    arms = trial.set_index(["kind", "arm"])
    share = arms["successes"].astype(float) / arms["n"]
    gain = share["outcome", "treatment"] - share["outcome", "control"]
    harm = share["guardrail", "treatment"] - share["guardrail", "control"]
    error = np.sqrt((share * (1 - share) / arms["n"]).loc["outcome"].sum())
    assert gain > arms["target_effect"].max() > gain - 1.645 * error
    assert harm > arms["margin"].max()
    assert set(trial["assignment"]) == {"volunteers"}


def test_injury_claims_over_relies_on_advice(judged):
    wrong = judged[judged["advice"] != judged["correct_decision"]]
    followed = (wrong["final_decision"] == wrong["advice"]).groupby(wrong["unit_id"]).mean()
    assert 0.75 < followed["injury-claims"] < 0.85
    assert followed.drop("injury-claims").between(0.40, 0.55).all()


def test_finance_delivered_no_records(sample):
    for name in TABLES:
        delivered = sample[name].get("unit_id", pd.Series(dtype=str)).eq("finance").any()
        assert delivered == (name in ("units", "invitations", "responses")), name


def test_broker_service_improves_wave_by_wave(scores):
    doing = scores[~scores["leading"]].drop(columns="leading")
    means = doing.groupby(["unit_id", "wave"]).mean().mean(axis=1).unstack()
    rise = (means[WAVES[-1]] - means[WAVES[0]]).drop("treasury")
    assert rise.idxmax() == "broker-service"
    assert 6 < rise["broker-service"] < 18
    assert means.loc["broker-service"].is_monotonic_increasing


def test_every_seed_initiative_with_a_trial_has_been_piloted(sample):
    stages = sample["initiatives"].set_index("initiative_id")["stage"]
    assert (
        stages.loc[seed_table("trials")["initiative_id"].unique()].isin(["pilot", "limited", "scaled", "stopped"]).all()
    )


def test_two_workflows_call_an_unchanged_step_redesigned(sample):
    steps = sample["workflow_steps"]
    before = steps[steps["version"] == "before"][["workflow", "step", "actor", "work_minutes"]]
    claimed = steps[(steps["version"] == "now") & (steps["ai_use"] == "redesigned")]
    unchanged = claimed.merge(before, on=["workflow", "step", "actor", "work_minutes"])
    assert set(unchanged["workflow"]) == {"Total loss", "Call with a question about cover"}


def test_teams_differ_in_advice_given_without_context(sample):
    thin = sample["decisions"].query("context_complete == 'no'")
    unsafe = thin["advice"].notna().groupby(thin["unit_id"]).mean()
    assert unsafe["property-claims"] < 0.1
    assert unsafe["contact-centre"] > 0.18
