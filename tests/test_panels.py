"""Panels: a control moves, a pure function answers; every control has a name, and errors are told in plain words."""

import ast
import shutil
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import ipywidgets as widgets
import pytest
from conftest import SAMPLE

from aiready.messages import Language
from aiready.pages import views
from aiready.workbook import panels
from aiready.workbook.panels import panel as panel_module
from aiready.workbook.panels.panel import Panel

FOLDER = Path(panels.__file__).parent
EXPLORING = sorted(set(panels.__all__) - {"self_assessment", "task_redesign", "initiative_canvas"})
"""Panels that look; those that capture have tests of their own."""
WRITING = ("self_assessment_panel", "redesign_panel", "board_view", "canvas_panel", "canvas_view", "editing")
"""Modules of the panels that capture: what they save, and read again, is a table."""
BLINK = 0.150
"""Seconds of processor a control may take on the sample (what a person calls at once)."""
GENEROUS = 4
"""Tests share their machine."""


@pytest.fixture
def sample(sample, tmp_path_factory):
    """The sample as if opened from a folder that may be written to."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("units", "actions"):
        shutil.copy(SAMPLE / f"{name}.csv", folder)
    return replace(sample, location=folder)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch, tmp_path_factory):
    monkeypatch.setattr(panel_module, "_LAST_CHOICES", {})
    monkeypatch.setenv("AIREADY_MEMORY", str(tmp_path_factory.getbasetemp() / "memory"))


def parts(made) -> list[Panel]:
    if isinstance(made, Panel):
        return [made]
    return [made.above, made.below] if hasattr(made, "above") else [made.recommended, made.agreed]


@pytest.mark.parametrize("name", EXPLORING)
def test_every_choice_of_every_control_is_answered_without_complaint(sample, name):
    for part in parts(getattr(panels, name)(sample)):
        for key, control in part.controls.items():
            if isinstance(control, widgets.Dropdown):
                for value in [option[1] for option in control.options]:
                    control.value = value
                    assert part.alert.value == "", (key, value, part.alert.value)
                    assert part.view is not None


@pytest.mark.parametrize("name", EXPLORING)
def test_every_control_has_a_name(sample, name):
    for part in parts(getattr(panels, name)(sample)):
        for control in part.controls.values():
            assert control.description


@pytest.mark.parametrize("name", sorted({*EXPLORING} - {"actions"}))
def test_a_panel_speaks_the_language_of_the_assessment(sample, name):
    english, german = (parts(getattr(panels, name)(one)) for one in (sample, sample.translated(Language("de"))))
    for before, after in zip(english, german, strict=True):
        assert after.view.language.code == "de"
        assert after.view.title in after.head.value
        assert after.view.title != before.view.title
        assert "Show the numbers" not in after.foot.value
        for key, control in after.controls.items():
            assert control.description != before.controls[key].description, key
            if key in ("look", "step", "about", "group", "barrier", "indicator"):
                labels = [{label for label, _ in one.controls[key].options} for one in (before, after)]
                assert not labels[0] & labels[1], key


@pytest.mark.parametrize("name", EXPLORING)
def test_a_control_answers_in_a_blink(sample, name):
    for part in parts(getattr(panels, name)(sample)):
        part.controls.get("unit", next(iter(part.controls.values())))
        took = []
        for control in part.controls.values():
            if isinstance(control, widgets.Dropdown) and len(control.options) > 1:
                for option in list(control.options)[1:6]:
                    started = time.process_time()
                    control.value = option[1]
                    took.append(time.process_time() - started)
        assert sorted(took)[len(took) // 2] < GENEROUS * BLINK


def test_a_cell_that_runs_again_keeps_what_was_chosen(sample):
    first = panels.answers(sample)
    first.controls["unit"].value, first.controls["group"].value = "finance", "leading"
    again = panels.answers(sample)
    assert again.values["unit"] == "finance"
    assert again.values["group"] == "leading"
    assert panels.funnel(sample).values["unit"] == "finance", "other panels start from the same unit"


def test_what_cannot_be_chosen_any_more_is_forgotten(sample):
    panels.answers(sample).controls["unit"].value = "finance"
    narrow = sample.unit("motor-claims")
    assert panels.answers(narrow).values["unit"] == "motor-claims"


def test_an_error_is_told_in_the_panel_and_the_view_before_it_stays(sample):
    made = panels.what_if(sample)
    shown = made.view
    made.controls["weight"].value = -1
    assert "a weight is 0 or more" in made.alert.value
    assert 'role="alert"' in made.alert.value
    assert made.view is shown
    made.controls["weight"].value = 2
    assert made.alert.value == ""


def test_even_a_mistake_of_the_package_is_no_traceback(sample):
    def broken(unit: str) -> views.View:
        raise ValueError("<no> such thing")

    made = Panel("broken", {"unit": widgets.Dropdown(options=[("a", "a")], description="Unit")}, broken)
    assert "cannot be shown" in made.alert.value
    assert "&lt;no&gt;" in made.alert.value
    assert "Traceback" not in made.alert.value


def test_what_if_changes_add_up_and_are_taken_back_together(sample):
    made = panels.what_if(sample)
    made.controls["indicator"].value = "adoption"
    made.controls["weight"].value = 3
    made.controls["indicator"].value = "user_changes"
    assert made.controls["weight"].value == 1
    made.controls["value_at_100"].value = 0.2
    assert made.changes == {"adoption": {"weight": 3}, "user_changes": {"value_at_100": 0.2}}
    assert made.view.rows.equals(views.what_if(made.unit_at(made.values["unit"], made.values["wave"]),
                                                 made.changes).rows)  # fmt: skip
    made.reset_button.click()
    assert made.changes == {}
    assert made.controls["value_at_100"].value == 0.7


def test_a_click_on_a_row_opens_what_stands_behind_it(sample):
    drill = panels.barriers(sample)
    drill.above.picture.picked = "Measurement"
    assert drill.below.values["barrier"] == "measurement"
    drill.below.controls["step"].value = "indicators"
    drill.below.picture.picked = "Scaled on evidence"
    assert drill.below.values["step"] == "records"
    assert drill.below.values["indicator"] == "scaled_on_evidence"
    assert drill.below.view.title == "Scaled on evidence: the records"


def test_only_the_indicators_of_the_barrier_can_be_chosen(sample):
    drill = panels.barriers(sample)
    drill.below.controls["barrier"].value = "context_fit"
    listed = {option[1] for option in drill.below.controls["indicator"].options}
    table = sample.rules.indicators
    assert listed == set(table.loc[table["barrier_id"] == "context_fit", "indicator_id"])


def test_only_the_jobs_of_the_unit_can_be_chosen_and_the_first_is_shown(sample):
    made = panels.jobs(sample)
    made.controls["unit"].value = "motor-claims"
    own = sorted(set(sample.unit("motor-claims").rows("tasks")["job"]))
    assert [option[1] for option in made.controls["job"].options] == [*own, ""]
    assert made.controls["job"].value == own[0]
    assert own[0] in made.view.scope


def test_one_change_is_asked_once_though_it_moves_other_controls(sample, monkeypatch):
    made, asked = panels.jobs(sample), []
    monkeypatch.setattr(made, "ask", lambda **values: asked.append(values) or views.View("", ""))
    for unit in ("motor-claims", "finance", "motor-claims"):
        made.controls["unit"].value = unit
    assert [values["unit"] for values in asked] == ["motor-claims", "finance", "motor-claims"]


def test_a_narrow_window_gets_a_narrow_picture(sample):
    made = panels.profile(sample)
    made.picture.room = 360
    spec = made.picture.spec
    assert spec["width"] + spec["padding"]["left"] + spec["padding"]["right"] <= 360


def test_panels_calculate_nothing():
    """No arithmetic on tables: no group-by in any module of panels; pandas only where rows are written down."""
    for path in FOLDER.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        calculating = {"numpy", "scipy", "statsmodels"} | ({"pandas"} if path.stem not in WRITING else set())
        assert not imported & calculating, path.name
        called = {node.func.attr for node in ast.walk(tree)
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}  # fmt: skip
        assert not called & {"groupby", "mean", "sum", "pivot_table", "quantile", "median"}, path.name


class TestActions:
    @pytest.fixture
    def made(self, sample):
        made = panels.actions(sample)
        made.recommended.controls["unit"].value = "motor-claims"
        made.recommended.controls["barrier"].value = "trust_governance"
        return made

    def test_a_recommendation_fills_the_form_and_says_why(self, sample, made):
        first = sample.unit("motor-claims").rows("recommended").query("barrier_id == 'trust_governance'").iloc[0]
        assert made.form["action"].value == first["action"]
        assert made.form["owner"].value == first["owner_role"]
        assert made.form["measure"].value == first["measure"]
        assert made.recommended.view.words[0] == first["reason"]

    def test_without_a_date_nothing_is_saved_and_the_panel_says_so(self, made):
        before = made.agreed.controls["agreed"].options
        made.agree_button.click()
        assert "Give the date it is due" in made.recommended.alert.value
        assert made.agreed.controls["agreed"].options == before

    def test_it_is_agreed_followed_and_done(self, made):
        made.form["due_on"].value = date(2099, 1, 1)
        made.agree_button.click()
        assert "Agreed and saved" in made.recommended.alert.value
        made.agreed.controls["agreed"].value = "motor-claims-1"
        assert made.agreed.view.title.endswith("wave by wave")
        assert "not moving because of it" in made.agreed.view.caution
        made.agreed.controls["state"].value = "done"
        made.state_button.click()
        assert "Saved: done" in made.agreed.alert.value
        assert made.agreed.view.numbers["State"].iloc[-1] == "done"

    def test_the_second_analyst_is_told_and_keeps_what_they_wanted(self, sample, made):
        other = panels.actions(sample)
        for who in (made, other):
            who.agreed.controls["agreed"].value = "a-03"
        made.agreed.controls["state"].value = "done"
        made.state_button.click()
        other.agreed.controls["state"].value = "dropped"
        other.state_button.click()
        assert "somebody else saved this" in other.agreed.alert.value
        assert other.agreed.controls["state"].value == "dropped"
        other.state_button.click()
        assert "Saved: dropped" in other.agreed.alert.value

    def test_a_cell_that_runs_again_keeps_the_form(self, sample, made):
        made.form["owner"].value = "head of claims"
        made.form["due_on"].value = date(2099, 1, 1)
        again = panels.actions(sample)
        assert again.form["owner"].value == "head of claims"
        assert again.form["due_on"].value == date(2099, 1, 1)

    def test_a_new_kernel_shows_what_was_typed_until_it_is_agreed(self, sample, made, monkeypatch):
        made.recommended.controls["recommended"].value = ""
        typed = {"action": "Ask the night shift", "owner": "head of claims", "due_on": date(2099, 1, 1),
                 "measure": "adoption"}  # fmt: skip
        for name, value in typed.items():
            made.form[name].value = value
        monkeypatch.setattr(panel_module, "_LAST_CHOICES", {})  # a kernel that died knows nothing
        again = panels.actions(sample)
        assert {name: control.value for name, control in again.form.items()} == typed
        assert again.recommended.controls["unit"].value == "motor-claims"
        assert again.recommended.controls["barrier"].value == "trust_governance"
        assert "is not agreed yet; it is shown here" in again.recommended.alert.value
        assert "not agreed yet" not in panels.actions(sample, by="ben").recommended.alert.value, "drafts are one's own"
        again.agree_button.click()
        assert "Agreed and saved: Ask the night shift" in again.recommended.alert.value
        assert panels.actions(sample).recommended.alert.value == ""

    def test_looking_at_another_wave_keeps_what_was_typed(self, made):
        made.form["owner"].value = "head of claims"
        wave = made.recommended.controls["wave"]
        offered = made.recommended.controls["recommended"].options
        for value in [option[1] for option in wave.options]:
            wave.value = value
            if made.recommended.controls["recommended"].options == offered:
                assert made.form["owner"].value == "head of claims"

    def test_it_is_saved_in_the_folder_that_was_opened(self, sample, tmp_path):
        (tmp_path / "actions.csv").write_text("action_id,unit_id,barrier_id,action,owner,due_on,status\n")
        made = panels.actions(replace(sample, location=tmp_path))
        made.form["action"].value, made.form["owner"].value = "Ask the night shift", "head of claims"
        made.form["due_on"].value = date(2099, 1, 1)
        made.agree_button.click()
        (saved,) = (tmp_path / "actions").iterdir()
        assert "Ask the night shift" in saved.read_text()
        assert str(tmp_path) in made.recommended.alert.value

    def test_of_a_database_no_secret_is_told(self, sample):
        made = panels.actions(sample, "postgres://ann:hush@server/base")
        assert "A database (postgres) is only read" in made.recommended.alert.value
        assert "hush" not in made.recommended.alert.value

    def test_where_nothing_can_be_saved_it_says_why_and_still_recommends(self, sample, tmp_path):
        book = tmp_path / "data.xlsx"
        book.touch()
        made = panels.actions(sample, book)
        assert "rows are written to folders" in made.recommended.alert.value
        made.recommended.controls["barrier"].value = "trust_governance"
        made.form["due_on"].value = date(2099, 1, 1)
        made.agree_button.click()
        assert "rows are written to folders" in made.recommended.alert.value
        assert len(made.recommended.view.numbers)

    def test_of_a_hidden_unit_nothing_is_recommended_from_what_people_said(self, sample, made):
        made.recommended.controls["unit"].value = "treasury"
        assert "alert" not in made.recommended.alert.value
        assert "answers" not in " ".join(made.recommended.view.words)
