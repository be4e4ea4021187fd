"""The notebooks that write, in a real JupyterLab: fill, reload, go on, save; what they wrote passes `aiready check`."""

from pathlib import Path

import nbformat
import pandas as pd
import pytest

from aiready import checkup
from aiready.instrument import read_instrument

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SAMPLE = Path(__file__).parents[1] / "data" / "sample"
RULES = read_instrument()


def on(laboratory, chromium, name: str, folder: Path, **window: int):
    """A notebook that writes to a folder of its own, open in a window of its own."""
    copy = f"{name}-{folder.name}"
    book = nbformat.read(laboratory.notebooks / f"{name}.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace("()", f'("{folder}")')
    nbformat.write(book, laboratory.notebooks / f"{copy}.ipynb")
    return laboratory.open(chromium, copy, **window)


def clean(folder: Path) -> bool:
    """Whether `aiready check` sets no row aside."""
    found = checkup.examine(str(folder))
    assert found.quarantined == 0, found.as_text()
    return True


class TestSelfAssessment:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory) -> Path:
        """Nine colleagues of claims have answered already, another way."""
        folder = tmp_path_factory.mktemp("workshop")
        pd.DataFrame({"unit_id": ["claims"], "name": ["Claims handling"]}).to_csv(folder / "units.csv", index=False)
        levels = {item: [1 + person % 5 for person in range(9)] for item in RULES.items["item_id"]}
        about = {"respondent_id": [f"r-{person}" for person in range(9)], "unit_id": "claims", "wave": "2026-Q3",
                 "role": "frontline", "Team": "blue"}  # fmt: skip
        pd.DataFrame(about | levels).to_csv(folder / "responses.csv", index=False)
        return folder

    @staticmethod
    def rows(folder: Path) -> pd.DataFrame:
        return pd.read_csv(folder / "responses.csv", dtype=str).fillna("")

    @staticmethod
    def answer(notebook, place: int) -> None:
        notebook.page.locator(".aiready-answers input[type=radio]").nth(place).check()
        notebook.settle()

    def test_a_person_answers_the_kernel_dies_and_nothing_is_lost(self, laboratory, chromium, folder):
        asked = RULES.items_for("frontline")["item_id"].tolist()
        with on(laboratory, chromium, "self_assessment", folder) as notebook:
            notebook.run_all()
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
            assert f"{saved['respondent_id']}" in notebook.text()
            assert "Question 5 of 21" in notebook.text()
            assert "4 of 21 answered" in notebook.text()
            self.answer(notebook, 6)
            assert notebook.errors() == []
            assert notebook.refused == []
        row = self.rows(folder).iloc[-1]
        assert [row[item] for item in asked[:6]] == ["1", "2", "3", "4", "don't know", ""]
        assert row["Team"] == ""
        assert len(self.rows(folder)) == 10
        assert clean(folder)

    def test_after_closing_the_tab_the_person_goes_on_changes_and_withdraws(self, laboratory, chromium, folder):
        code = self.rows(folder)["respondent_id"].iloc[-1]
        first = RULES.items_for("frontline")["item_id"].iloc[0]
        with on(laboratory, chromium, "self_assessment", folder) as notebook:
            notebook.run_all()
            notebook.control("Not finished").select_option(code)
            notebook.settle()
            assert notebook.control("Code of a person").input_value() == code
            notebook.button("Continue or change").click()
            notebook.settle()
            assert "Question 6 of 21" in notebook.text()
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
            notebook.page.wait_for_selector(".aiready-figure svg")
            assert "Where to talk" in notebook.text() or "Mean, 0–100" in notebook.text()
            notebook.button("Withdraw all answers of this person").click()
            notebook.settle()
            assert "cannot be had back" in notebook.text()
            notebook.button("Yes, withdraw everything").click()
            notebook.settle()
            assert notebook.errors() == []
        assert len(self.rows(folder)) == 9
        assert code not in (folder / "responses.csv").read_text()
        assert clean(folder)

    def test_it_is_worked_with_the_keyboard_alone_and_every_control_has_a_name(self, laboratory, chromium, folder):
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
            assert "Saved. 1 of 21 answered." in notebook.text()
            assert "" not in notebook.controls()
            assert overflowing(notebook) == []
        assert self.rows(folder).iloc[-1]["team_goal"] == "2"


def overflowing(notebook) -> list[str]:
    """Parts of a panel that reach out of the window."""
    return notebook.page.evaluate("""() => [...document.querySelectorAll('.aiready-form *')].filter(part => {
      const box = part.getBoundingClientRect();
      return box.width && part.checkVisibility() && box.right > innerWidth && !part.closest('.aiready-scroll');
    }).slice(0, 5).map(part => part.tagName + ' ' + part.className)""")
