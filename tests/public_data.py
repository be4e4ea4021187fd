"""Data folders made from the public data beside the repository, for tests; skipped where it is absent."""

from pathlib import Path

import pandas as pd
import pytest

PUBLIC = Path(__file__).parents[1].parent / "shared" / "data"


def _needs(name: str) -> Path:
    folder = PUBLIC / name
    if not folder.is_dir():
        pytest.skip(f"public data {name} is not beside this repository (../shared/data)")
    return folder


def onet_folder(target: Path) -> Path:
    """Tasks of 923 occupations with human exposure labels, one unit per occupation."""
    source = _needs("onet_tasks")
    labels = pd.read_csv(source / "full_labelset.tsv", sep="\t", index_col=0, dtype=str, keep_default_na=False)
    occupations = pd.read_csv(source / "occ_level.csv", dtype=str)
    target.mkdir(parents=True, exist_ok=True)
    tasks = {
        "unit_id": labels["O*NET-SOC Code"],
        "job": labels["Title"],
        "task_id": labels["Task ID"],
        "task": labels["Task"],
        "weight": labels["Task Type"].map(lambda kind: "1" if kind == "Core" else "0.5"),
        "exposure": labels["human_labels"],
    }
    pd.DataFrame(tasks).to_csv(target / "tasks.csv", index=False)
    units = {"unit_id": occupations["O*NET-SOC Code"], "name": occupations["Title"]}
    pd.DataFrame(units).to_csv(target / "units.csv", index=False)
    return target


def advice_folder(target: Path) -> Path:
    """Decisions of 51 people who took advice, one unit; rows without an answer and attention checks out."""
    log = pd.read_csv(_needs("advice_log") / "accuracy_dates.csv")
    answers = ["initial", "advice", "final", "correct"]
    log = log[log[answers].notna().all(axis=1) & ~log["attention_check"].astype(bool)].reset_index(drop=True)
    opened = pd.to_datetime(log["started_utc"], format="ISO8601", utc=True)
    target.mkdir(parents=True, exist_ok=True)
    decisions = {
        "decision_id": [f"d{i:05d}" for i in log.index],
        "unit_id": "experiment",
        "decider_id": log["pid"],
        "opened_at": log["started_utc"],
        "decided_at": (opened + pd.to_timedelta(log["t_final_ms"], unit="ms")).astype(str),
        "advice": log["advice"],
        "initial_decision": log["initial"],
        "final_decision": log["final"],
        "correct_decision": log["correct"],
    }
    pd.DataFrame(decisions).to_csv(target / "decisions.csv", index=False)
    return target
