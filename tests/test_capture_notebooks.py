"""The notebooks that write, in a real JupyterLab: fill, reload, go on, save; what they wrote passes `aiready check`."""

import time
from datetime import date
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from opened import RULES as AXE_RULES

from aiready.instrument.model import read_instrument
from aiready.model.schema import AI_USE, BLOCKERS, STAGES, TABLES
from aiready.profile import data_check
from aiready.workbook.capture.pilot_plan import PLANS
from aiready.workbook.capture.self_assessment import responses_table
from aiready.workbook.capture.store import read_rows, read_slice, save_slice
from aiready.workbook.panels.board_view import WORDS
from aiready.workbook.panels.canvas_view import FIELDS, PEOPLE

pytestmark = pytest.mark.slow
SAMPLE = Path(__file__).parents[1] / "data" / "sample"
RULES = read_instrument()
NEXT_YEAR = date.today().year + 1
"""A pilot is declared today, and cases follow: dates near each other, since one far from all others is set aside."""
COMMENT = "Is there anything else about AI in your work that we should know? Please write no names."


def on(laboratory, chromium, name: str, folder: Path, **window: int):
    """A notebook that writes to a folder of its own, open in a window of its own."""
    copy = f"{name}-{folder.name}"
    book = nbformat.read(laboratory.notebooks / f"{name}.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace("()", f'("{folder}")')
    nbformat.write(book, laboratory.notebooks / f"{copy}.ipynb")
    return laboratory.open(chromium, copy, **window)


def sees(notebook, words: str, *, gone: bool = False) -> None:
    """Wait until words stand in the outputs, or are gone: widgets draw a little after the kernel has answered."""
    until = time.monotonic() + 20
    while (words in notebook.text()) == gone:
        assert time.monotonic() < until, f"{words!r} {'stays' if gone else 'is missing'} in {notebook.text()[:3000]}"
        notebook.page.wait_for_timeout(100)


def clean(folder: Path) -> bool:
    """Whether `aiready check` sets no row aside."""
    found = data_check.check(str(folder))
    assert found.quarantined == 0, found.as_text()
    return True


class TestSelfAssessment:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        """Nine colleagues of claims have answered already, another way."""
        pd.DataFrame({"unit_id": ["claims"], "name": ["Claims handling"]}).to_csv(tmp_path / "units.csv", index=False)
        levels = {item: [1 + person % 5 for person in range(9)] for item in RULES.items["item_id"]}
        about = {"respondent_id": [f"r-{person}" for person in range(9)], "unit_id": "claims", "wave": "2026-Q3",
                 "role": "frontline", "Team": "blue"}  # fmt: skip
        pd.DataFrame(about | levels).to_csv(tmp_path / "responses.csv", index=False)
        return tmp_path

    @staticmethod
    def rows(folder: Path) -> pd.DataFrame:
        return read_rows(folder, TABLES["responses"])

    @staticmethod
    def answer(notebook, place: int) -> None:
        notebook.page.locator(".aiready-answers input[type=radio]").nth(place).check()
        notebook.settle()

    def test_a_person_answers_the_kernel_dies_and_nothing_is_lost(self, laboratory, chromium, folder):
        asked = RULES.items_for("frontline")["item_id"].tolist()
        with on(laboratory, chromium, "self_assessment", folder) as notebook:
            notebook.run_all()
            notebook.control("Use of AI").select_option(index=4)
            notebook.button("Begin with a person").click()
            notebook.settle()
            for place in range(4):
                self.answer(notebook, place)
                notebook.button("Next question").click()
                notebook.settle()
            saved = self.rows(folder).iloc[-1]
            notebook.kill_kernel()
            assert self.rows(folder).iloc[-1].equals(saved)
            notebook.load()
            notebook.run_all()
            sees(notebook, f"{saved['respondent_id']}")
            sees(notebook, "Question 5 of 21")
            sees(notebook, "4 of 21 answered")
            self.answer(notebook, 6)
            given(notebook, {COMMENT: "the night shift too"})
            notebook.button("Next open question").click()
            sees(notebook, "Question 6 of 21")
            assert notebook.errors() == []
            assert notebook.refused == []
        row = self.rows(folder).iloc[-1]
        assert [row[item] for item in asked[:6]] == ["1", "2", "3", "4", "don't know", ""]
        assert (row["Team"], row["ai_use"], row["comment"]) == ("", AI_USE[3], "the night shift too")
        assert len(self.rows(folder)) == 10
        assert clean(folder)

    def test_another_day_the_person_goes_on_changes_and_withdraws(self, laboratory, chromium, folder):
        code, asked = "w-7d0a", RULES.items_for("frontline")["item_id"].tolist()
        begun = {"respondent_id": code, "unit_id": "claims", "wave": "2026-Q3", "role": "frontline"}
        begun |= dict(zip(asked, ["1", "2", "3", "4", "don't know"], strict=False))
        key = {name: begun[name] for name in ("respondent_id", "unit_id", "wave")}
        save_slice(read_slice(folder, responses_table(RULES), key), pd.DataFrame([begun]))
        first = asked[0]
        with on(laboratory, chromium, "self_assessment", folder) as notebook:
            notebook.run_all()
            notebook.control("Not finished").select_option(code)
            notebook.settle()
            assert notebook.control("Code of a person").input_value() == code
            notebook.button("Continue or change").click()
            notebook.settle()
            sees(notebook, "Question 6 of 21")
            for _ in range(5):
                notebook.button("Back").click()
            notebook.settle()
            assert notebook.page.locator(".aiready-answers input[type=radio]").nth(0).is_checked()
            self.answer(notebook, 4)
            assert self.rows(folder)[first].iloc[-1] == "5"
            notebook.button("Withdraw this answer").click()
            notebook.settle()
            assert self.rows(folder)[first].iloc[-1] == ""
            notebook.button("Show what the team said").click()
            notebook.settle()
            notebook.page.wait_for_selector(".aiready-picture svg")
            sees(notebook, "Where to talk")
            notebook.button("Withdraw all answers of this person").click()
            notebook.settle()
            sees(notebook, "cannot be had back")
            notebook.button("Yes, withdraw everything").click()
            notebook.settle()
            assert notebook.errors() == []
        assert len(self.rows(folder)) == 9
        assert not [path for path in folder.rglob("*") if code in path.name]
        assert clean(folder)

    def test_it_is_worked_with_the_keyboard_alone_and_axe_finds_nothing_against_it(self, laboratory, chromium, folder):
        with on(laboratory, chromium, "self_assessment", folder, width=700) as notebook:
            notebook.run_all()
            notebook.button("Begin with a person").focus()
            notebook.page.keyboard.press("Enter")
            notebook.settle()
            for _ in range(20):
                notebook.page.keyboard.press("Tab")
                if notebook.page.evaluate("document.activeElement.type") == "radio":
                    break
            notebook.page.keyboard.press("ArrowDown")
            notebook.settle()
            sees(notebook, "Saved. 1 of 21 answered.")
            assert "" not in notebook.controls()
            assert overflowing(notebook) == []
            assert accessible(notebook)
        assert self.rows(folder).iloc[-1]["team_goal"] == "2"


def accessible(notebook) -> bool:
    """Whether the Tab key goes through a panel in the order of the page, and axe finds nothing, light or dark."""
    for stand, reached in notebook.tab_orders():
        assert len(stand) > 5
        assert reached == stand, "the Tab key reaches every control of a panel, in the order of the page"
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        notebook.page.wait_for_timeout(500)  # buttons fade to their new colours
        found = Axe().run(notebook.page, context=".aiready-form", options=AXE_RULES).response["violations"]
        told = [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]
        assert told == [], theme
    return True


def given(notebook, controls: dict[str, str | int]) -> None:
    """Set controls by their labels, one after the other as a person does: text is typed, a number picks an entry."""
    for label, value in controls.items():
        control = notebook.control(label)
        if isinstance(value, int):
            control.select_option(index=value)
        else:
            control.fill(value)
            control.press("Tab")
        notebook.settle()


def overflowing(notebook) -> list[str]:
    """Parts of a panel that reach out of the window."""
    return notebook.page.evaluate("""() => [...document.querySelectorAll('.aiready-form *')].filter(part => {
      const box = part.getBoundingClientRect();
      return box.width && part.checkVisibility() && box.right > innerWidth
        && !part.closest('.scroll, .aiready-picture');
    }).slice(0, 5).map(part => part.tagName + ' ' + part.className)""")


def jobs(folder: Path) -> None:
    """A unit with one job of three tasks, held by ten people."""
    pd.DataFrame({"unit_id": ["claims"], "name": ["Claims handling"]}).to_csv(folder / "units.csv", index=False)
    (folder / "tasks.csv").write_text(
        "unit_id,job,task_id,task,headcount,hours_per_year,mode,expected_saving,adoption,observed_saving,rework,"
        "oversight_hours,Remark\n"
        "claims,Handler,reply,Answer letters,10,120,augment,0.5,0.6,0.4,0.05,0,keep\n"
        "claims,Handler,classify,Sort the post,10,80,augment,0.9,0.5,0.8,0,4,\n"
        "claims,Handler,call,Call back,10,140,human,,,,,,\n"
    )


def tasks(folder: Path) -> pd.DataFrame:
    return read_rows(folder, TABLES["tasks"])


class TestTaskRedesign:
    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        jobs(tmp_path)
        return tmp_path

    def test_a_job_is_edited_reloaded_continued_and_saved(self, laboratory, chromium, folder):
        with on(laboratory, chromium, "task_redesign", folder) as notebook:
            notebook.run_all()
            notebook.button("Open the job").click()
            notebook.settle()
            gap = 10 * (120 * (0.5 - 0.6 * 0.4 * 0.95) + 80 * (0.9 - 0.5 * 0.8) + 4)
            sees(notebook, f"{gap:.0f} hours a year")
            sees(notebook, "3 tasks: too coarse")
            notebook.control("Adoption, 0–1").fill("0.9")
            notebook.page.keyboard.press("Enter")
            notebook.settle()
            sees(notebook, f"{gap:.0f} hours a year", gone=True)
            notebook.control("What to do").select_option("Split the task")
            notebook.settle()
            notebook.control("First part").fill("Draft letters")
            notebook.control("Second part").fill("Check letters")
            notebook.button("Split").click()
            notebook.settle()
            sees(notebook, "Split. Not saved yet.")
            assert len(tasks(folder)) == 3
            notebook.load()
            notebook.run_all()
            sees(notebook, "are not saved yet")
            sees(notebook, "Check letters")
            notebook.button("Save the job").click()
            notebook.settle()
            sees(notebook, "Saved: 4 tasks.")
            assert notebook.errors() == []
            assert "" not in notebook.controls()
            assert overflowing(notebook) == []
            found = tasks(folder)
            self.every_field(notebook)
        assert found["task"].tolist() == ["Draft letters", "Check letters", "Sort the post", "Call back"]
        assert found["hours_per_year"].tolist() == ["60", "60", "80", "140"]
        assert found["adoption"].tolist() == ["0.9", "0.9", "0.5", ""]
        assert found["Remark"].tolist() == ["keep", "keep", "", ""]
        sorting = tasks(folder).set_index("task").loc["Sort the mail"]
        assert [sorting[name] for name in WORDS if name != "task"] == [
            "12", "90", "automate", "augment", RULES.patterns["pattern_id"].iloc[0], "E1", "0.8", "0.4", "0.3", "0.1",
            "5", "measured", BLOCKERS[0], "training",
        ]  # fmt: skip
        assert tasks(folder)["task"].tolist()[-1] == "Phone and write back"
        assert clean(folder)

    @staticmethod
    def every_field(notebook) -> None:
        """Every field of a task is changed; another task is added and merged, one removed; the job is saved."""
        notebook.control("What to do").select_option("Change the task")
        values = ["Sort the mail", "12", "90", 3, 2, 1, 2, "0.8", "0.4", "0.3", "0.1", "5", 2, 1, "training"]
        given(notebook, {"Tasks": 2} | dict(zip(WORDS.values(), values, strict=True)))
        given(notebook, {"What to do": 1, "New task: a verb and its object": "Write back"})
        notebook.button("Add").click()
        sees(notebook, "Added.")
        given(
            notebook, {"Tasks": 3, "What to do": 3, "Merge with": 3, "Name of the merged task": "Phone and write back"}
        )
        notebook.button("Merge").click()
        sees(notebook, "Merged.")
        given(notebook, {"Tasks": 1, "What to do": 4})
        notebook.button("Remove the chosen task").click()
        sees(notebook, "Removed.")
        notebook.button("Save the job").click()
        sees(notebook, "Saved: 3 tasks.")

    def test_edits_made_before_the_kernel_died_are_there_again_and_can_be_undone(self, laboratory, chromium, folder):
        with on(laboratory, chromium, "task_redesign", folder) as notebook:
            notebook.run_all()
            notebook.button("Open the job").click()
            notebook.settle()
            notebook.control("Adoption, 0–1").fill("0.9")
            notebook.page.keyboard.press("Enter")
            notebook.settle()
            gone(notebook)
            sees(notebook, "are not saved yet")
            assert notebook.control("Adoption, 0–1").input_value() == "0.9"
            notebook.button("Undo").click()
            notebook.settle()
            assert notebook.control("Adoption, 0–1").input_value() == "0.6"
            notebook.button("Redo").click()
            notebook.button("Save the job").click()
            notebook.settle()
            sees(notebook, "Saved: 3 tasks.")
        assert tasks(folder)["adoption"].tolist() == ["0.9", "0.5", ""]

    def test_two_analysts_save_the_same_job_and_the_second_is_told(self, laboratory, chromium, folder):
        with on(laboratory, chromium, "task_redesign", folder) as ann, on(
            laboratory, chromium, "task_redesign", folder) as ben:  # fmt: skip
            for analyst in (ann, ben):
                analyst.run_all()
                analyst.button("Open the job").click()
                analyst.settle()
            ann.control("Rework, 0–1").fill("0.2")
            ann.page.keyboard.press("Enter")
            ann.button("Save the job").click()
            ann.settle()
            sees(ann, "Saved: 3 tasks.")
            (saved,) = (folder / "tasks").iterdir()
            theirs = saved.read_bytes()
            ben.control("Hours a year, per person").fill("70")
            ben.page.keyboard.press("Enter")
            ben.button("Save the job").click()
            ben.settle()
            sees(ben, "somebody else saved this since you opened it")
            sees(ben, "rework 0.05 → 0.2")
            assert saved.read_bytes() == theirs
            ben.button("Join both versions").click()
            ben.settle()
            ben.button("Save the job").click()
            ben.settle()
            sees(ben, "Saved: 3 tasks.")
        assert tasks(folder)[["rework", "hours_per_year"]].iloc[0].tolist() == ["0.2", "70"]
        assert clean(folder)

    def test_an_earlier_version_is_brought_back_in_a_narrow_window_that_axe_finds_nothing_against(
        self, laboratory, chromium, folder
    ):
        for adoption in ("0.7", "0.8"):
            read = read_slice(folder, TABLES["tasks"], {"unit_id": "claims", "job": "Handler", "wave": ""})
            save_slice(read, read.rows.assign(adoption=[adoption, *read.rows["adoption"][1:]]), "anna")
        with on(laboratory, chromium, "task_redesign", folder, width=700) as notebook:
            notebook.run_all()
            notebook.button("Open the job").click()
            notebook.settle()
            versions = notebook.control("Earlier versions")
            listed = versions.locator("option").all_text_contents()
            assert [said.startswith("before") for said in listed] == [False, False, True]
            versions.select_option(index=len(listed) - 1)
            notebook.button("Bring this version back").click()
            notebook.settle()
            assert overflowing(notebook) == []
            assert accessible(notebook)
            notebook.button("Save the job").click()
            notebook.settle()
            assert notebook.errors() == []
        assert tasks(folder)["adoption"].tolist() == ["0.6", "0.5", ""]
        assert clean(folder)


def gone(notebook) -> None:
    """The kernel dies; the panel says what to do; the cell runs again in a new one."""
    notebook.kill_kernel()
    notebook.page.locator(".aiready-kernel-lost").wait_for()
    assert "what you had not saved yet is shown" in notebook.page.locator(".aiready-kernel-lost").inner_text()
    notebook.run_all()


class TestInitiativeCanvas:
    def test_what_was_typed_before_the_kernel_died_is_there_again(self, laboratory, chromium, tmp_path):
        (tmp_path / "initiatives.csv").write_text("initiative_id,unit_id,name,stage\nletters,claims,Letters,pilot\n")
        with on(laboratory, chromium, "initiative_canvas", tmp_path) as notebook:
            notebook.run_all()
            notebook.control("Unit that owns it").fill("claims")
            notebook.control("Unit that owns it").press("Tab")
            notebook.settle()
            notebook.button("Open it").click()
            notebook.settle()
            notebook.control("Owner: a role or a person").fill("head of letters")
            notebook.settle()
            gone(notebook)
            sees(notebook, "are not saved yet")
            assert notebook.control("Owner: a role or a person").input_value() == "head of letters"
            notebook.button("Save the initiative").click()
            notebook.settle()
            sees(notebook, "Saved.")
        assert read_rows(tmp_path, TABLES["initiatives"])["owner"].tolist() == ["head of letters"]
        assert clean(tmp_path)

    def test_an_initiative_is_stated_planned_tried_judged_and_goes_on(self, laboratory, chromium, tmp_path):
        pd.DataFrame({"unit_id": ["claims"], "name": ["Claims"]}).to_csv(tmp_path / "units.csv", index=False)
        with on(laboratory, chromium, "initiative_canvas", tmp_path) as notebook:
            notebook.run_all()
            notebook.control("Or a new one, by name").fill("Letter drafting")
            notebook.page.keyboard.press("Tab")
            notebook.button("Open it").click()
            notebook.settle()
            sees(notebook, "NOT READY")
            said = {"The business problem in a sentence": "Letters go back", "Baseline: where it stands": "52",
                    "Outcome metric, with its unit": "letters sent without correction, %", "Target": "75",
                    "Deadline, as 2026-12-31": "2027-02-28", "Owner: a role or a person": "head of letters",
                    "Guardrail: what must not get worse, and its limit": "complaints stay below 2 %"}  # fmt: skip
            for label, text in said.items():
                notebook.control(label).fill(text)
            notebook.control("What it measures").select_option("business")
            notebook.control("Which way is better").select_option("increase")
            notebook.settle()
            sees(notebook, "READY: 100 of 100.")
            notebook.load()
            notebook.run_all()
            sees(notebook, "READY: 100 of 100.")
            assert accessible(notebook)
            notebook.button("Save the initiative").click()
            notebook.settle()
            self.people(notebook)
            self.plan(notebook)
            self.try_out(notebook)
            notebook.button("5 Learned, next step").click()
            notebook.control("What the trial taught").fill("Short letters gain most")
            notebook.button("Save what was learned").click()
            notebook.settle()
            notebook.button("Plan the next small step").click()
            notebook.settle()
            sees(notebook, "Trial 2")
            assert notebook.errors() == []
            assert "" not in notebook.controls()
        trials = read_rows(tmp_path, TABLES["trials"])
        assert trials["successes"].tolist() == ["320", "352"]
        assert set(trials["learned"]) == {"Short letters gain most"}
        assert trials["declared_on"].ne("").all()
        assert trials["started_on"].eq(f"{NEXT_YEAR}-01-05").all()
        assert trials["ended_on"].eq(f"{NEXT_YEAR}-01-30").all()
        assert trials["assignment"].eq("matched").all()
        plans = read_rows(tmp_path, PLANS)
        assert plans["rule"].str.contains("SCALE if").all()
        assert plans[["power", "cases_per_arm"]].to_numpy().tolist() == [["0.9", "400"]]
        (row,) = read_rows(tmp_path, TABLES["initiatives"]).to_dict("records")
        assert [row[name] for name in PEOPLE] == [
            "design", "generative", "high", "stopped", *(f"{NEXT_YEAR - 1}-0{month}-01" for month in range(1, 7)),
            "scaled", "tested",
        ]  # fmt: skip
        assert clean(tmp_path)

    @staticmethod
    def people(notebook) -> None:
        """Every field of the second step."""
        notebook.button("2 People and stage").click()
        chosen = {"users_involved": "while it was designed", "generation": "generative", "stakes": "high",
                  "stage": "stopped", "stopped_in": "scaled"}  # fmt: skip
        for name, entry in chosen.items():
            notebook.control(FIELDS[name][0]).select_option(entry)
        dates = {f"{stage}_on": f"{NEXT_YEAR - 1}-0{month}-01" for month, stage in enumerate(STAGES, 1)}
        given(notebook, {FIELDS[name][0]: text for name, text in (dates | {"stop_reason": "tested"}).items()})
        notebook.button("Save the initiative").click()
        notebook.settle()
        sees(notebook, "Saved.")

    @staticmethod
    def plan(notebook) -> None:
        notebook.button("3 Plan the pilot").click()
        measure = {"What is measured (outcome)": "letters", "Without AI: share 0–1, or mean (outcome)": "0.8",
                 "Target effect (outcome)": "0.03", "Effect really expected (outcome)": "0.08"}  # fmt: skip
        given(notebook, measure)
        notebook.control("How cases come to their arm").select_option("Matched pairs")
        given(notebook, {"Chance to see it if it is there": "0.9", "Cases planned in each arm": "400"})
        sees(notebook, "cases per arm to show that it works")
        notebook.button("Write the rule down, dated today").click()
        notebook.settle()
        sees(notebook, "The rule is written down, dated today.")

    @staticmethod
    def try_out(notebook) -> None:
        notebook.button("4 Results and verdict").click()
        results = {"Without AI: cases (outcome)": "400", "Without AI: cases that met it (outcome)": "320",
                 "With AI: cases (outcome)": "400", "With AI: cases that met it (outcome)": "352",
                 "First case on": f"{NEXT_YEAR}-01-05", "Last case on": f"{NEXT_YEAR}-01-30"}  # fmt: skip
        given(notebook, results)
        sees(notebook, "SCALE")
        notebook.button("Save the results").click()
        notebook.settle()
        sees(notebook, "Results saved.")
