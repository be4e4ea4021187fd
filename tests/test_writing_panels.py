"""The panels that write, without a browser: what controls do to files, drafts, and other people's saves."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from ipywidgets import Button, Widget

from aiready.instrument.model import read_instrument
from aiready.model.schema import TABLES
from aiready.profile import data_check
from aiready.workbook import panels
from aiready.workbook.capture.store import read_rows
from aiready.workbook.panels.canvas_panel import CanvasPanel
from aiready.workbook.panels.redesign_panel import RedesignPanel
from aiready.workbook.panels.self_assessment_panel import SelfAssessmentPanel

ITEMS = read_instrument().items["item_id"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "units.csv").write_text("unit_id,name\nclaims,Claims\ncards,Cards\n")
    (tmp_path / "tasks.csv").write_text(
        "unit_id,job,task_id,task,headcount,hours_per_year,mode,adoption\n"
        "claims,Handler,reply,Answer letters,10,120,augment,0.6\nclaims,Handler,call,Call back,10,140,human,\n"
    )
    return tmp_path


def rows_of(folder: Path, table: str) -> pd.DataFrame:
    """The rows that panels and reports read, as text."""
    return read_rows(folder, TABLES[table])


def said(panel) -> str:
    return panel.status.value


def shown(panel: SelfAssessmentPanel):
    """The choices of the question that is on the page."""
    return panel.choice_box.children[0]


def buttons(part: Widget) -> Iterator[Button]:
    """Every button that is on the page."""
    if part.layout.display != "none":
        if isinstance(part, Button):
            yield part
        for child in getattr(part, "children", ()):
            yield from buttons(child)


def click(panel, words: str) -> None:
    """Press a button that is on the page, by its words."""
    (found,) = (button for button in buttons(panel.box) if button.description == words)
    found.click()


def opened(folder: Path, by: str = "") -> RedesignPanel:
    panel = RedesignPanel(str(folder), by)
    click(panel, "Open the job")
    return panel


class TestTaskRedesign:
    def test_every_field_of_a_task_is_an_edit_of_its_column(self, folder):
        panel = opened(folder)
        typed = {"task": "Answer mails", "headcount": "12", "hours_per_year": "130", "mode": "automate",
                 "target_mode": "augment", "pattern": "ai_drafts", "exposure": "E1", "expected_saving": "0.5",
                 "adoption": "0.7", "observed_saving": "0.4", "rework": "0.1", "oversight_hours": "3",
                 "evidence": "measured", "blocker": "too_slow", "freed_for": "hard cases"}  # fmt: skip
        for name, text in typed.items():
            panel.fields[name].value = text
        click(panel, "Save the job")
        assert set(typed) == set(panel.fields)
        (saved,) = (folder / "tasks").iterdir()
        row = pd.read_csv(saved, dtype=str).iloc[0]
        assert row[list(typed)].to_dict() == typed
        assert data_check.check(str(folder)).quarantined == 0

    def test_a_cell_that_is_wrong_is_told_and_not_taken(self, folder):
        panel = opened(folder)
        panel.fields["adoption"].value = "60"
        assert "above 1" in said(panel)
        assert panel.board.task("reply")["adoption"] == "0.6"

    def test_undo_and_redo_walk_through_the_edits(self, folder):
        panel = opened(folder)
        panel.fields["adoption"].value = "0.7"
        panel.fields["adoption"].value = "0.8"
        click(panel, "Undo")
        assert panel.fields["adoption"].value == "0.7"
        click(panel, "Undo")
        assert panel.fields["adoption"].value == "0.6"
        click(panel, "Undo")
        assert "Nothing to undo" in said(panel)
        click(panel, "Redo")
        assert panel.fields["adoption"].value == "0.7"

    def test_an_unsaved_edit_made_before_somebody_elses_save_never_overwrites_it(self, folder):
        ann, ben = opened(folder, "ann"), opened(folder, "ben")
        ben.fields["adoption"].value = "0.9"
        ann.fields["adoption"].value = "0.8"
        click(ann, "Save the job")
        again = RedesignPanel(str(folder), "ben")
        assert "not saved yet" in said(again)
        click(again, "Save the job")
        assert "somebody else saved this" in said(again)
        click(again, "Join both versions")
        assert "adoption 0.8 (yours: 0.9)" in said(again)
        assert again.fields["adoption"].value == "0.8"

    def test_theirs_can_be_taken_and_mine_is_kept_in_a_file(self, folder):
        ann, ben = opened(folder, "ann"), opened(folder, "ben")
        ann.fields["adoption"].value = "0.8"
        click(ann, "Save the job")
        ben.fields["adoption"].value = "0.9"
        click(ben, "Save the job")
        click(ben, "Take theirs, drop mine")
        assert ben.fields["adoption"].value == "0.8"
        assert "not saved, ben" in ben.version.options[0][0]
        click(ben, "Bring this version back")
        assert ben.fields["adoption"].value == "0.9"

    def test_a_new_job_begins_from_a_library_and_its_tasks_are_joined_and_removed(self, folder):
        rows = "".join(f"Clerks\tDo thing {n}\tCore\n" for n in range(16))
        (folder / "library.tsv").write_text(f"Title\tTask\tTask Type\n{rows}")
        panel = RedesignPanel(str(folder), "")
        panel.new_job.value = "Post clerk"
        click(panel, "Open the job")
        assert "no tasks yet" in said(panel)
        panel.file.value, panel.words.value = str(folder / "library.tsv"), "clerk"
        panel.action.value = "library"
        click(panel, "Search")
        click(panel, "Add its tasks")
        assert len(panel.board.tasks) == 16
        panel.others.value, panel.merged_name.value = (panel.board.ids[1],), "Do two things"
        panel.action.value = "merge"
        click(panel, "Merge")
        panel.action.value = "remove"
        click(panel, "Remove the chosen task")
        panel.name.value = "Open the post"
        panel.action.value = "add"
        click(panel, "Add")
        click(panel, "Save the job")
        assert "Saved: 15 tasks." in said(panel)
        assert data_check.check(str(folder)).quarantined == 0

    def test_a_job_of_fewer_than_five_shows_no_hours(self, folder):
        panel = opened(folder)
        panel.fields["headcount"].value = "4"
        assert "Fewer than 5 people" in panel.totals.value
        assert "hours a year lie" not in panel.totals.value
        assert "hidden" in panel.table.value


class TestSelfAssessment:
    def test_two_facilitators_with_the_same_person_lose_no_answer(self, folder):
        first = SelfAssessmentPanel(str(folder), "")
        click(first, "Begin with a person")
        shown(first).value = "2"
        second = SelfAssessmentPanel(str(folder), "")
        click(second, "Next question")
        shown(second).value = "4"
        click(first, "Next question")
        click(first, "Next question")
        shown(first).value = "5"
        assert "Both were joined" in said(first)
        answers = rows_of(folder, "responses")[list(ITEMS)].iloc[0].tolist()
        assert [answer for answer in answers if answer] == ["2", "4", "5"]

    def test_a_choice_that_arrives_after_the_next_question_is_shown_answers_the_one_it_was_made_for(self, folder):
        panel = SelfAssessmentPanel(str(folder), "")
        click(panel, "Begin with a person")
        first = shown(panel)
        click(panel, "Next question")
        first.value = "4"
        assert shown(panel).value is None
        answers = rows_of(folder, "responses")
        assert answers[ITEMS.iloc[:2]].to_numpy().tolist() == [["4", ""]]

    def test_a_choice_that_arrives_after_the_next_person_has_begun_is_nobodys(self, folder):
        panel = SelfAssessmentPanel(str(folder), "")
        click(panel, "Begin with a person")
        shown(panel).value = "2"
        first = shown(panel)
        click(panel, "Begin with a person")
        first.value = "4"
        assert shown(panel).value is None
        assert rows_of(folder, "responses")[ITEMS[0]].tolist() == ["2"]

    def test_a_wave_or_a_code_that_is_none_is_told_in_plain_words(self, folder):
        panel = SelfAssessmentPanel(str(folder), "")
        panel.wave.value = "autumn"
        click(panel, "Begin with a person")
        assert "is no wave" in said(panel)
        panel.wave.value, panel.code.value = "2026-Q3", "w-none"
        click(panel, "Continue or change")
        assert "No answers under the code" in said(panel)

    def test_answers_that_came_another_way_are_changed_and_withdrawn_and_their_file_stays(self, folder):
        answers = {"respondent_id": ["r-1", "r-2"], "unit_id": "claims", "wave": "2026-Q3", "role": "frontline"}
        pd.DataFrame(answers | dict.fromkeys(ITEMS, 3)).to_csv(folder / "responses.csv", index=False)
        before = (folder / "responses.csv").read_bytes()
        panel = SelfAssessmentPanel(str(folder), "")
        panel.code.value = "r-1"
        click(panel, "Continue or change")
        shown(panel).value = "5"
        assert sorted(rows_of(folder, "responses")["team_goal"]) == ["3", "5"]
        click(panel, "Withdraw all answers of this person")
        click(panel, "Yes, withdraw everything")
        assert "counts no more. It came another way" in said(panel)
        assert rows_of(folder, "responses")["respondent_id"].tolist() == ["r-2"]
        assert data_check.check(str(folder)).counts.set_index("table").loc["responses", "used"] == 1
        assert (folder / "responses.csv").read_bytes() == before

    def test_another_language_of_the_questionnaire_is_asked_and_saved_alike(self, folder):
        panel = SelfAssessmentPanel(str(folder), "de")
        click(panel, "Begin with a person")
        assert "Ihr Team" in panel.wording.value or "Team" in panel.wording.value
        shown(panel).value = "does not apply"
        panel.comment.value = "gut"
        row = rows_of(folder, "responses").iloc[0]
        assert (row["team_goal"], row["comment"]) == ("does not apply", "gut")


@pytest.mark.slow
class TestCanvas:
    @staticmethod
    def begun(folder: Path, by: str = "") -> CanvasPanel:
        panel = CanvasPanel(str(folder), by)
        panel.new.value = "Letter drafting"
        click(panel, "Open it")
        panel.step.value = "problem"
        click(panel, "Save the initiative")
        return panel

    def test_every_field_is_saved_in_its_column(self, folder):
        panel = self.begun(folder)
        numbers = {"baseline": "9", "target": "4"}
        for name, field in panel.fields.items():
            if hasattr(field, "options"):
                field.value = field.options[-1][1]
            else:
                dated = name.endswith("_on") or name == "deadline"
                field.value = numbers.get(name) or ("2026-05-11" if dated else f"words of {name}")
        panel.step.value = "problem"
        click(panel, "Save the initiative")
        assert "Saved" in said(panel)
        row = pd.read_csv(folder / "initiatives" / "initiatives--letter-drafting.csv", dtype=str).iloc[0]
        assert row[list(panel.fields)].to_dict() == {name: field.value for name, field in panel.fields.items()}
        assert data_check.check(str(folder)).quarantined == 0

    def test_the_second_who_saves_an_initiative_is_told_even_after_a_new_start(self, folder):
        self.begun(folder, "ann")
        ann, ben = CanvasPanel(str(folder), "ann"), CanvasPanel(str(folder), "ben")
        click(ben, "Open it")
        ben.fields["owner"].value = "head of post"
        ann.fields["owner"].value = "head of letters"
        ann.step.value = "problem"
        click(ann, "Save the initiative")
        again, elsewhere = CanvasPanel(str(folder), "ben"), CanvasPanel(str(folder), "ben")
        for panel in (again, elsewhere):
            assert "not saved yet" in said(panel)
            panel.step.value = "problem"
            click(panel, "Save the initiative")
            assert "somebody else saved this" in said(panel)
        click(again, "Join both versions")
        assert "letter-drafting: owner head of letters (yours: head of post)" in said(again)
        assert again.fields["owner"].value == "head of letters"
        click(elsewhere, "Take theirs, drop mine")
        assert elsewhere.fields["owner"].value == "head of letters"

    def test_the_initiatives_of_its_unit_are_listed_when_the_last_one_is_open_again(self, folder):
        (folder / "initiatives.csv").write_text(
            "initiative_id,unit_id,name,stage\na,claims,A,idea\nb,cards,B,idea\nc,cards,C,idea\n"
        )
        panel = CanvasPanel(str(folder), "")
        panel.unit.value = "cards"
        panel.initiative.value = "c"
        click(panel, "Open it")
        again = CanvasPanel(str(folder), "")
        assert (again.unit.value, again.fields["name"].value) == ("cards", "C")
        assert [value for _, value in again.initiative.options] == ["b", "c"]

    def test_results_without_a_rule_written_down_are_refused(self, folder):
        panel = self.begun(folder)
        panel.step.value = "results"
        click(panel, "Save the results")
        assert "Plan the pilot first" in said(panel)
        self.outcome(panel)
        self.numbers(panel)
        panel.step.value = "results"
        click(panel, "Save the results")
        assert "Write the decision rule down first" in said(panel)

    def test_a_rule_that_did_not_change_keeps_its_date_and_one_that_came_late_is_told(self, folder):
        panel = self.begun(folder)
        self.outcome(panel)
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        assert "its date stays" in said(panel)
        self.numbers(panel)
        panel.dates["started_on"].value = "2020-01-01"
        assert "the rule was written down after the start" in panel.verdict.value
        panel.step.value = "results"
        click(panel, "Save the results")
        panel.learned.value = "short ones gain"
        panel.step.value = "next"
        click(panel, "Save what was learned")
        assert rows_of(folder, "trials")["learned"].tolist() == ["short ones gain"] * 2
        panel.step.value = "next"
        click(panel, "Plan the next small step")
        assert panel.trial.value == "2"
        assert panel.plans["outcome"]["measure"].value == "letters"
        assert data_check.check(str(folder)).quarantined == 0

    def test_a_mean_is_planned_with_its_spread_and_judged(self, folder):
        panel = self.begun(folder)
        self.outcome(panel, scale="mean", direction="decrease", today="30", sd="9", effect="3", expected="6")
        assert "cases per arm" in panel.advice.value
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        self.numbers(panel, n="120", mean="24", sd="9", control={"n": "110", "mean": "30", "sd": "10"})
        assert "SCALE" in panel.verdict.value
        assert panel.results["outcome"]["control successes"].layout.display == "none"

    def test_measures_that_the_page_has_no_fields_for_stay(self, folder):
        head = "initiative_id,trial_no,measure,kind,direction,target_effect,arm,n,successes,assignment\n"
        rows = "".join(f"letter-drafting,,{name},outcome,increase,0.1,{arm},100,50,random\n"
                       for name in ("speed", "quality") for arm in ("control", "treatment"))  # fmt: skip
        self.begun(folder)
        (folder / "trials.csv").write_text(head + rows)
        panel = CanvasPanel(str(folder), "")
        assert panel.plans["outcome"]["measure"].value == "speed"
        panel.plans["outcome"]["today"].value = "0.5"
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        panel.learned.value = "slow"
        panel.step.value = "next"
        click(panel, "Save what was learned")
        saved = rows_of(folder, "trials")
        assert saved["measure"].tolist() == ["speed", "speed", "quality", "quality"]
        assert saved["learned"].tolist() == ["slow", "slow", "", ""]
        assert data_check.read_data(folder, read_instrument()).table("trials")["trial_no"].tolist() == [1] * 4
        assert (folder / "trials.csv").read_text() == head + rows

    def test_other_trials_of_the_initiative_stay_and_are_shown_when_they_are_chosen(self, folder):
        panel = self.begun(folder)
        self.outcome(panel)
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        self.numbers(panel)
        panel.step.value = "results"
        click(panel, "Save the results")
        panel.step.value = "next"
        click(panel, "Plan the next small step")
        panel.plans["outcome"]["effect"].value = "0.04"
        panel.step.value = "plan"
        click(panel, "Write the rule down, dated today")
        saved = pd.read_csv(folder / "plans" / "pilots" / "pilots--letter-drafting.csv", dtype=str)
        assert saved[["trial_no", "target_effect"]].sort_values("trial_no").to_numpy().tolist() == [
            ["1", "0.03"], ["2", "0.04"]]  # fmt: skip
        panel.trial.value = "1"
        assert panel.plans["outcome"]["effect"].value == "0.03"
        assert panel.results["outcome"]["treatment successes"].value == "352"
        panel.trial.value = "2"
        assert panel.results["outcome"]["treatment successes"].value == ""

    @staticmethod
    def outcome(panel: CanvasPanel, **given: str) -> None:
        values = {"measure": "letters", "scale": "share", "direction": "increase", "today": "0.8", "effect": "0.03"}
        for name, text in (values | given).items():
            panel.plans["outcome"][name].value = text

    @staticmethod
    def numbers(panel: CanvasPanel, control: dict[str, str] | None = None, **treated: str) -> None:
        arms = {"control": control or {"n": "400", "successes": "320"},
                "treatment": treated or {"n": "400", "successes": "352"}}  # fmt: skip
        for arm, found in arms.items():
            for name, text in found.items():
                panel.results["outcome"][f"{arm} {name}"].value = text


def test_a_draft_is_kept_for_who_made_it_alone(folder):
    opened(folder, "ann").fields["adoption"].value = "0.9"
    assert "not saved yet" in said(opened(folder, "ann"))
    assert "not saved yet" not in said(opened(folder, "ben"))


@pytest.mark.parametrize("panel", [panels.self_assessment, panels.task_redesign, panels.initiative_canvas])
def test_a_workbook_instead_of_a_folder_is_told_in_the_panel(panel, tmp_path):
    (tmp_path / "data.xlsx").write_bytes(b"")
    assert "Give a folder" in said_in(panel(str(tmp_path / "data.xlsx")))


@pytest.mark.parametrize("panel", [panels.self_assessment, panels.task_redesign])
def test_a_broken_instrument_is_told_in_the_panel(panel, tmp_path):
    (tmp_path / "instrument").mkdir()
    (tmp_path / "instrument" / "items.csv").write_text("item_id\n")
    assert "items.csv" in said_in(panel(str(tmp_path)))


def said_in(box) -> str:
    return box.children[-1].value
