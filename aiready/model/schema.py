"""Define the input tables: their columns, types, rules and meaning.

Validation, `aiready new`, the codebook and the docs derive from `TABLES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["text", "id", "integer", "number", "share", "date", "timestamp", "wave", "flag", "check", "url"]
"""How a cell is read: `share` is 0-1, `flag` yes or no, `check` yes, no or the date it was done."""


@dataclass(frozen=True)
class Column:
    """One column of an input table.

    `starter` columns make the smallest useful table (`aiready new --start`). `happened` marks dates of past events:
    the newest of them is the default `--as-of`, and rows dated after `--as-of` are left out. `before` is an exclusive
    upper limit for its times, where the other dates of a data folder set one.
    """

    name: str
    kind: Kind
    meaning: str
    example: str = ""
    required: bool = False
    starter: bool = False
    allowed: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    happened: bool = False
    before: datetime | None = None


@dataclass(frozen=True)
class Table:
    """One input table: `grain` is what a row stands for, `key` the columns that identify a row.

    `ordered`: pairs of columns of which the first may not exceed the second. `hashed`: columns stored as hashes.
    `slices`: columns that tell apart the slices which notebooks save as a file each (one job, one initiative).
    `held_by` and `effort` say who usually has the data, and what it takes to collect: our estimates, for planning.
    """

    name: str
    grain: str
    collect: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    hashed: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    held_by: str = ""
    effort: str = ""

    def column(self, name: str) -> Column:
        """Column by name; KeyError where the table has none of that name."""
        return {column.name: column for column in self.columns}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)


DOES_NOT_APPLY, DONT_KNOW = -1.0, -2.0
"""Codes of the two answers that are not a level of the scale, in the item columns of checked `responses`."""

ROLES = ("frontline", "manager", "technical", "executive")
AI_USE = ("none_here", "never", "sometimes", "weekly", "daily")
STAGES = ("idea", "defined", "pilot", "limited", "scaled", "stopped")
LIVE_STAGES = ("pilot", "limited", "scaled")
INVOLVED_FROM = ("never", "rollout", "pilot", "design", "idea")
BLOCKERS = (
    "no_access",
    "not_allowed",
    "not_trusted",
    "does_not_fit",
    "not_trained",
    "too_slow",
    "not_worth_it",
)
MODES = ("human", "augment", "automate")
GOVERNANCE_CHECKS = (
    "impact_assessed", "privacy_reviewed", "bias_tested", "explainable", "human_oversight", "feedback_channel",
)  # fmt: skip


def _unit(meaning: str = "business unit the row belongs to") -> Column:
    return Column("unit_id", "id", meaning, "claims", required=True, starter=True)


def _wave(*, starter: bool = False) -> Column:
    return Column("wave", "wave", "survey wave or period; blank: the newest survey wave", "2026-Q3", starter=starter)


def _initiative(*, required: bool = False) -> Column:
    return Column("initiative_id", "id", "AI initiative the row is about", "letter-drafting", required, required)


def _date(name: str, meaning: str, *, happened: bool = True) -> Column:
    return Column(name, "date", meaning, "2026-05-11", happened=happened)


_OPENED = "2026-05-11T09:30:00"


def _at(name: str, meaning: str, example: str = _OPENED, *, required: bool = False, starter: bool = False) -> Column:
    return Column(name, "timestamp", meaning, example, required, required or starter, happened=True)


def _share(name: str, meaning: str, example: str, *, at_most: float = 1, starter: bool = False) -> Column:
    return Column(name, "share", meaning, example, starter=starter, at_least=0, at_most=at_most)


def _count(name: str, meaning: str, example: str, *, required: bool = False, at_least: float = 0) -> Column:
    return Column(name, "integer", meaning, example, required, at_least=at_least)


def _choice(name: str, meaning: str, allowed: tuple[str, ...], example: str, *, starter: bool = False) -> Column:
    return Column(name, "text", meaning, example, starter=starter, allowed=allowed)


_UNITS = Table(
    "units", "business unit", "one row per business unit with its parent and headcount",
    (
        Column("unit_id", "id", "short stable name of the unit", "claims", required=True, starter=True),
        Column("name", "text", "name as readers know it", "Claims handling", required=True, starter=True),
        Column("parent_id", "id", "unit this one belongs to; blank: top level", "operations", starter=True),
        Column("headcount", "integer", "people working there", "140", starter=True, at_least=0),
        Column("formerly", "text", "ids this unit was made from, separated by semicolons", "claims-north;claims-south"),
    ),
    key=("unit_id",),
    held_by="personnel or controlling", effort="an hour, once",
)  # fmt: skip

_INVITATIONS = Table(
    "invitations", "unit and wave (and role)", "how many people each unit invited to the survey, wave by wave",
    (
        _unit(),
        Column("wave", "wave", "survey wave", "2026-Q3", required=True),
        _choice("role", "role invited; blank: all roles of the unit", ROLES, "frontline"),
        _count("invited", "people invited", "120", required=True),
    ),
    key=("unit_id", "wave", "role"),
    held_by="whoever sends the survey out", effort="minutes per wave",
)  # fmt: skip

_RESPONSES = Table(
    "responses", "respondent and wave", "answers to the questionnaire, one row per person",
    (
        Column("respondent_id", "id", "any stable code; hashed when read; blank: anonymous", "r-0017", starter=True),
        _unit("business unit the respondent works in"),
        _choice("role", "what the respondent mostly does", ROLES, "frontline", starter=True),
        _wave(starter=True),
        _choice("ai_use", "use of AI tools in own work, last three months", AI_USE, "weekly"),
        Column("comment", "text", "free text; shown on no page", ""),
    ),
    key=("respondent_id", "wave"),
    slices=("unit_id", "wave", "respondent_id"),
    hashed=("respondent_id",),
    held_by="the survey tool, through `aiready import`", effort="ten minutes per respondent and wave",
)  # fmt: skip

_INITIATIVES = Table(
    "initiatives", "AI initiative", "the register of AI initiatives: problem, metric, owner, stage, checks, dates",
    (
        Column("initiative_id", "id", "short stable name of the initiative", "letter-drafting", True, True),
        _unit("unit that owns the initiative"),
        _wave(),
        Column("name", "text", "name as readers know it", "Letter drafting", required=True, starter=True),
        _choice("generation", "kind of AI", ("rules", "machine_learning", "generative"), "generative"),
        _choice("stakes", "what a wrong result can do to people", ("low", "high"), "low"),
        Column("problem_statement", "text", "the business problem in a sentence", "Letters go back for correction",
               starter=True),
        Column("outcome_metric", "text", "figure that should move, with its unit", "letters needing no correction, %",
               starter=True),
        _choice("metric_kind", "what the metric measures", ("business", "user", "model", "activity"), "business"),
        _choice("direction", "which way is better", ("increase", "decrease"), "increase", starter=True),
        Column("baseline", "number", "metric before the initiative", "80", starter=True),
        Column("target", "number", "metric aimed at", "85", starter=True),
        Column("deadline", "date", "date the target is due", "2026-12-31", starter=True),
        Column("guardrail", "text", "what must not get worse, and its limit", "complaints stay below 2 %"),
        Column("owner", "text", "role or person that answers for it", "head of letters", starter=True),
        Column("outcome_now", "number", "latest value of the metric", "88"),
        _date("outcome_on", "date of the latest value"),
        _choice("users_involved", "from when the users took part", INVOLVED_FROM, "design", starter=True),
        Column("stage", "text", "where it stands", "pilot", required=True, starter=True, allowed=STAGES),
        *(_date(f"{stage}_on", f"date it entered the stage `{stage}`") for stage in STAGES),
        _choice("stopped_in", "how far it had come when it was stopped", STAGES[:-1], "pilot"),
        Column("stop_reason", "text", "why it was stopped", "no effect in two trials"),
        _date("last_activity_on", "date of the latest work on it"),
        Column("impact_assessed", "check", "impact on people assessed", "2026-04-02"),
        Column("privacy_reviewed", "check", "data protection reviewed", "2026-04-02"),
        Column("bias_tested", "check", "tested for unfair treatment of groups", "2026-04-20"),
        Column("explainable", "check", "users can see why it says what it says", "yes"),
        Column("human_oversight", "check", "a person can stop or overrule it", "yes"),
        Column("feedback_channel", "check", "users can report faults and ideas", "yes"),
        _date("monitored_on", "date its results were last looked at in use"),
        _choice("limit_kind", "what limits it most", ("data", "compute", "cost", "model", "skills", "law"), "data"),
        _date("limit_reviewed_on", "date that limit was last reviewed"),
        Column("evidence_url", "url", "where the evidence lies", "https://intranet.example/letters"),
    ),
    key=("initiative_id",),
    slices=("initiative_id",),
    held_by="the AI office or IT portfolio, completed by each owner on a form", effort="twenty minutes per initiative, five per wave",
)  # fmt: skip

_USAGE = Table(
    "usage", "initiative, using unit and wave", "intended, active and trained users per initiative and using unit",
    (
        _initiative(required=True),
        _unit("unit whose people use the initiative"),
        _wave(),
        _count("intended_users", "people it is meant for", "60", required=True),
        _count("active_users", "people who used it for real work in the last 28 days", "38", required=True),
        _count("trained_users", "people trained for it", "45"),
        _date("trained_on", "date of the latest training"),
        _choice("main_reason_not_used", "main reason why intended users do not use it", BLOCKERS, "does_not_fit"),
    ),
    key=("initiative_id", "unit_id", "wave"),
    held_by="product owners; statistics of licences and logins", effort="ten minutes per initiative and wave",
)  # fmt: skip

_TRIALS = Table(
    "trials", "initiative, trial, measure and arm", "results of each trial with and without AI: cases, and their mean and spread or how many succeeded",
    (
        _initiative(required=True),
        _count("trial_no", "number of the trial of this initiative; blank: 1", "1", at_least=1),
        Column("measure", "text", "what was measured", "letters needing no correction", required=True, starter=True),
        Column("kind", "text", "outcome: should improve; guardrail: must not get worse", "outcome", required=True,
               starter=True, allowed=("outcome", "guardrail")),
        Column("direction", "text", "which way is better", "increase", required=True, starter=True,
               allowed=("increase", "decrease")),
        Column("target_effect", "number", "improvement agreed before the trial, in the measure's unit", "0.03",
               starter=True, at_least=0),
        Column("margin", "number", "harm tolerated on a guardrail, in the measure's unit", "0.02", starter=True,
               at_least=0),
        Column("arm", "text", "with the AI (treatment) or without (control)", "treatment", required=True, starter=True,
               allowed=("control", "treatment")),
        _count("n", "cases in this arm", "400", required=True, at_least=1),
        Column("mean", "number", "mean of the measure, where it is a number", "", starter=True),
        Column("sd", "number", "its standard deviation", "", starter=True, at_least=0),
        Column("successes", "integer", "cases that met the measure, where each does or does not", "352", starter=True,
               at_least=0),
        _choice("assignment", "how cases came to their arm", ("random", "matched", "before_after", "volunteers"),
                "random", starter=True),
        _date("declared_on", "date the decision rule was written down"),
        _date("started_on", "date of the first case"),
        _date("ended_on", "date of the last case"),
        Column("learned", "text", "what the trial taught", "short letters gain most"),
    ),
    key=("initiative_id", "trial_no", "measure", "arm"),
    slices=("initiative_id",),
    ordered=(("started_on", "ended_on"),),
    held_by="whoever ran the trial", effort="half an hour per trial, when it ends",
)  # fmt: skip

_TASKS = Table(
    "tasks", "unit, job and task", "each job as 15-20 core tasks: hours, mode, savings expected and observed",
    (
        _unit(),
        Column("job", "text", "job title", "Claims handler", required=True, starter=True),
        Column("task_id", "id", "short stable name of the task", "reply", required=True, starter=True),
        Column("task", "text", "what is done, as a verb and its object", "Answer customer letters", required=True,
               starter=True),
        _wave(),
        _initiative(),
        Column("weight", "number", "importance within the job", "1", at_least=0),
        Column("headcount", "integer", "people holding the job in this unit", "24", starter=True, at_least=0),
        Column("hours_per_year", "number", "hours one person spends on the task in a year", "120", starter=True,
               at_least=0, at_most=8784),
        _choice("mode", "who does it today", MODES, "augment", starter=True),
        _choice("target_mode", "who should do it", MODES, "augment"),
        Column("pattern", "id", "collaboration pattern (instrument/patterns.csv)", "ai_drafts"),
        _choice("exposure", "E0 none, E1 a model alone halves the time, E2 only with added software",
                ("E0", "E1", "E2"), "E1"),
        _share("expected_saving", "share of the hours AI should save", "0.5", starter=True),
        _share("expected_saving_low", "the least that saving may be", "0.3"),
        _share("expected_saving_high", "the most that saving may be", "0.6"),
        _share("adoption", "share of the work that is really done with AI", "0.6", starter=True),
        Column("observed_saving", "share", "share of those hours really saved; negative: AI costs time", "0.4",
               starter=True, at_least=-1, at_most=1),
        _share("rework", "share of the saved time lost to putting right", "0.05", starter=True),
        Column("oversight_hours", "number", "hours one person spends checking in a year", "4", starter=True,
               at_least=0, at_most=8784),
        _choice("evidence", "how the saving is known", ("reported", "measured"), "reported"),
        _choice("blocker", "what the open hours wait on", BLOCKERS, "not_trusted", starter=True),
        Column("freed_for", "text", "what freed time is for; blank: not decided", "complex cases"),
    ),
    key=("unit_id", "job", "task_id", "wave"),
    slices=("unit_id", "job", "wave"),
    ordered=(("expected_saving_low", "expected_saving"), ("expected_saving", "expected_saving_high")),
    held_by="team leads together with two or three people who do the job", effort="two hours per job, in a workshop",
)  # fmt: skip

_WORKFLOW_STEPS = Table(
    "workflow_steps", "workflow, version and step", "the steps of each workflow before AI, now and as aimed at",
    (
        _unit(),
        Column("workflow", "text", "name of the workflow", "Motor claim", required=True, starter=True),
        _choice("version", "before AI, now, or target; blank: now", ("before", "now", "target"), "now", starter=True),
        Column("step_no", "number", "place in the order", "1", required=True, starter=True),
        Column("step", "text", "what is done", "Read the report", required=True, starter=True),
        Column("actor", "text", "who does it", "human", required=True, starter=True,
               allowed=("human", "ai", "human_ai", "system")),
        _choice("ai_use", "AI not used, laid over the old step, or the step redesigned", ("none", "layered", "redesigned"),
                "layered", starter=True),
        Column("work_minutes", "number", "minutes of work per case", "6", at_least=0),
        Column("wait_minutes", "number", "minutes of waiting per case", "240", at_least=0),
        _initiative(),
    ),
    key=("unit_id", "workflow", "version", "step_no"),
    held_by="process owners together with the people who do the steps", effort="one to two hours per workflow",
)  # fmt: skip

_DECISIONS = Table(
    "decisions", "decision", "the decision log: when a case was opened, advised and decided, and what was right",
    (
        Column("decision_id", "id", "identifier of the decision", "d-000123", required=True, starter=True),
        _unit(),
        _initiative(),
        Column("decider_id", "id", "code of the person who decided; hashed when read", "p-07", starter=True),
        _at("opened_at", "when the case was opened", required=True),
        _at("advice_at", "when the AI's advice was there"),
        _at("decided_at", "when it was decided; blank: still open", "2026-05-12T14:05:00", starter=True),
        Column("advice", "text", "what the AI advised", "pay", starter=True),
        _share("advice_confidence", "confidence the AI stated", "0.9"),
        Column("initial_decision", "text", "what the person would have decided before the advice", "reject"),
        Column("final_decision", "text", "what was decided", "pay", starter=True),
        Column("autonomy_level", "integer", "0 person alone ... 4 AI alone", "2", at_least=0, at_most=4),
        Column("correct_decision", "text", "what was right; blank: not known yet", "pay", starter=True),
        _at("outcome_at", "when it was known what was right", "2026-06-02T10:00:00"),
        Column("context_complete", "flag", "all context the case needs was given to the AI", "yes"),
        _at("reversed_at", "when the decision was reversed", ""),
    ),
    key=("decision_id",),
    ordered=(("opened_at", "decided_at"),),
    hashed=("decider_id",),
    held_by="the system in which cases are decided, through IT; after legal review", effort="days once, then an export",
)  # fmt: skip

_FEEDBACK = Table(
    "feedback", "flag raised by a user", "faults and ideas users raised about AI tools, and what became of them",
    (
        Column("feedback_id", "id", "identifier of the flag", "f-0042", required=True, starter=True),
        _unit(),
        _initiative(),
        _at("flagged_at", "when it was raised", required=True),
        _at("answered_at", "when the user got an answer", "2026-05-12T14:05:00"),
        _at("deployed_at", "when a change was in use", "2026-06-02T10:00:00", starter=True),
        _at("declined_at", "when it was declined, with a reason given", "", starter=True),
        _choice("category", "what it is about", ("fault", "unclear", "missing_context", "idea", "insight"), "fault"),
    ),
    key=("feedback_id",),
    ordered=(("flagged_at", "answered_at"), ("flagged_at", "deployed_at"), ("flagged_at", "declined_at")),
    held_by="the service desk, or the button in the tool", effort="an export per wave",
)  # fmt: skip

_PROBES = Table(
    "probes", "question put to the AI about the organisation", "at least 30 test questions about how the unit works",
    (
        _unit(),
        _initiative(),
        _at("asked_at", "when it was asked", required=True),
        Column("question_id", "id", "identifier of the question", "q-07", required=True, starter=True),
        Column("correct", "flag", "the answer was right", "yes", required=True, starter=True),
    ),
    held_by="experts of the unit, who write the questions and judge the answers", effort="half a day per unit",
)  # fmt: skip

_ACTIONS = Table(
    "actions", "agreed action", "agreed actions with owner, due date and status",
    (
        Column("action_id", "id", "identifier of the action", "a-03", required=True, starter=True),
        _unit(),
        Column("barrier_id", "id", "barrier it addresses", "trust_governance", required=True, starter=True),
        Column("action", "text", "what will be done", "Answer what people report", required=True, starter=True),
        Column("owner", "text", "who answers for it", "product owner", required=True, starter=True),
        Column("due_on", "date", "date it is due", "2026-10-16", required=True, starter=True),
        Column("status", "text", "where it stands", "open", required=True, starter=True,
               allowed=("open", "done", "dropped")),
        Column("template_id", "id", "recommended action it came from", "answer-flags"),
        _date("agreed_on", "date it was agreed"),
        Column("measure", "id", "measure that should move", "feedback_closed_30d"),
        _date("done_on", "date it was done"),
    ),
    key=("action_id",),
    slices=("unit_id",),
    held_by="unit heads; the minutes of their meeting", effort="minutes per action",
)  # fmt: skip

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        _UNITS, _INVITATIONS, _RESPONSES, _INITIATIVES, _USAGE, _TRIALS, _TASKS, _WORKFLOW_STEPS, _DECISIONS,
        _FEEDBACK, _PROBES, _ACTIONS,
    )
}  # fmt: skip

LABELS = ("advice", "initial_decision", "final_decision", "correct_decision")
"""Columns of `decisions` that hold labels to be compared: what was advised, decided and right."""
PERSON_COLUMNS = frozenset(name for table in TABLES.values() for name in table.hashed)
"""Columns that hold codes of people."""
