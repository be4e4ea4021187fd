"""Panels that only show, one function each: takes an assessment, returns a panel."""

from collections.abc import Mapping

from aiready.pages import views
from aiready.pages.views import View
from aiready.profile.assessment import Assessment
from aiready.workbook.panels import selectors
from aiready.workbook.panels.panel import Ask, Panel


def _panel(name: str, assessment: Assessment, ask: Ask, **more: object) -> Panel:
    """A panel with controls for unit and wave, and `more`; `ask` gets the unit's assessment and the other values."""
    unit_at = selectors.unit_lookup(assessment)

    def view(unit: str, wave: str, **chosen: str) -> View:
        return ask(unit_at(unit, wave), **chosen)

    controls = {"unit": selectors.unit(assessment), "wave": selectors.wave(assessment), **more}
    return Panel(name, controls, view)


def profile(assessment: Assessment) -> Panel:
    """Both voices of every barrier, for any unit and wave."""
    return _panel("profile", assessment, views.profile)


def answers(assessment: Assessment) -> Panel:
    """How each item of a barrier was answered, by everybody or by one group."""
    say = assessment.language.say
    segments = selectors.choice(say("panel.group"), [(say(f"group.{name}"), name) for name in views.SEGMENTS])

    def view(unit: Assessment, barrier: str, group: str) -> View:
        return views.answers(unit, barrier, group)

    return _panel("answers", assessment, view, barrier=selectors.barrier(assessment), group=segments)


def groups(assessment: Assessment) -> Panel:
    """What those doing the work say, beside those leading it."""
    return _panel("groups", assessment, views.groups)


def moved(assessment: Assessment) -> Panel:
    """Why a number moved: by source for all barriers, or item by item for one."""
    about = selectors.barrier(assessment)
    about.description = assessment.language.say("panel.look")
    about.options = [(assessment.language.say("panel.all_barriers"), ""), *about.options]

    def view(unit: Assessment, about: str) -> View:
        return views.shifts(unit, about) if about else views.moved(unit)

    return _panel("moved", assessment, view, about=about)


def funnel(assessment: Assessment) -> Panel:
    """How far initiatives came, and how many went on."""
    return _panel("funnel", assessment, views.funnel)


def pilots(assessment: Assessment) -> Panel:
    """Each trial against its comparison and its target, with its verdict; trials belong to no wave."""
    unit_at = selectors.unit_lookup(assessment)

    def view(unit: str) -> View:
        return views.pilots(unit_at(unit, assessment.facts.wave))

    return Panel("pilots", {"unit": selectors.unit(assessment)}, view)


def hours(assessment: Assessment) -> Panel:
    """Where the hours go, what they wait on, and who does the tasks."""
    return _look_panel("hours", assessment, {"tasks": views.hours, "blockers": views.blockers, "modes": views.modes})


def _look_panel(name: str, assessment: Assessment, questions: Mapping[str, Ask]) -> Panel:
    """A panel with one more control: which of several questions to ask."""

    def view(unit: Assessment, look: str) -> View:
        return questions[look](unit)

    return _panel(name, assessment, view, look=selectors.look(assessment, *questions))


def jobs(assessment: Assessment) -> Panel:
    """Where the hours of one job of a unit go."""
    unit_at = selectors.unit_lookup(assessment)
    say = assessment.language.say
    all_jobs = (say("exposure.all_jobs"), "")
    unit, wave = selectors.unit(assessment), selectors.wave(assessment)
    job = selectors.choice(say("column.job"), [all_jobs])

    def offer(_: object = None) -> None:
        """Only jobs of the unit can be chosen."""
        names = sorted(unit_at(unit.value, wave.value).rows("tasks")["job"].dropna().unique())
        options = (*((name, name) for name in names), all_jobs)
        if options != job.options:
            job.options = options

    def view(unit: str, wave: str, job: str) -> View:
        return views.hours(unit_at(unit, wave), job)

    for control in (unit, wave):
        control.observe(offer, "value")
    offer()
    return Panel("jobs", {"unit": unit, "wave": wave, "job": job}, view)


def decisions(assessment: Assessment) -> Panel:
    """The decision log: quarter by quarter, by level of autonomy, and how sure each number is."""
    questions = {"quarters": views.metrics, "levels": views.levels, "confidence": views.confidence}
    return _look_panel("decisions", assessment, questions)


def records(assessment: Assessment) -> Panel:
    """The records that an indicator rests on."""

    def view(unit: Assessment, indicator: str) -> View:
        return views.records(unit, indicator)

    return _panel("records", assessment, view, indicator=selectors.indicator(assessment))
