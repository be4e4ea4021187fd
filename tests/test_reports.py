import dataclasses
import json
import os
import re
import shutil
import stat
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import SAMPLE, answers

from aiready import atomic_files
from aiready.atomic_files import file_stem, folder_lock, make_private_folder, write_file
from aiready.batch import report_run
from aiready.batch.schedule import RunOptions
from aiready.errors import InfrastructureError, UsageError
from aiready.privacy.gate import FEW

PARAMETERS = 'unit_id: str = ""\ndata: str = ""\nresults: str = ""\nwave: str = ""\nas_of: str = ""'


class TestSlug:
    def test_keeps_plain_ids(self):
        assert [file_stem(name) for name in ("claims", "unit-7", "a")] == ["claims", "unit-7", "a"]

    def test_marks_what_it_had_to_change_so_that_no_two_units_share_a_page(self):
        ids = [
            "Claims",
            "CLAIMS",
            "claims!",
            "claims/north",
            "claims north",
            "11-1011.00",
            "../../etc/passwd",
            "信任",
            ".",
        ]
        made = [file_stem(name) for name in ids]
        assert len(set(made)) == len(ids)
        for name in made:
            assert name
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    def test_is_the_same_every_time(self):
        assert file_stem("Claims/North") == "claims-north-414cbf"


class TestWrite:
    def test_replaces_a_file_whole(self, tmp_path):
        path = tmp_path / "deep" / "page.html"
        write_file(path, b"old")
        write_file(path, b"new")
        assert path.read_bytes() == b"new"
        assert [file.name for file in path.parent.iterdir()] == ["page.html"]

    def test_keeps_the_old_file_and_leaves_no_rubbish_when_the_disk_is_full(self, tmp_path, monkeypatch):
        path = tmp_path / "page.html"
        write_file(path, b"old")

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(atomic_files.os, "fsync", full)
        with pytest.raises(InfrastructureError, match=r"page\.html: cannot be written \(No space left on device\)"):
            write_file(path, b"new")
        assert path.read_bytes() == b"old"
        assert [file.name for file in tmp_path.iterdir()] == ["page.html"]

    def test_says_so_when_a_file_stands_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "units").write_text("a file")
        with pytest.raises(InfrastructureError, match="cannot be written"):
            write_file(tmp_path / "units" / "page.html", b"x")

    def test_private_folders_are_for_their_owner_alone(self, tmp_path):
        tmp_path.joinpath("records").mkdir(mode=0o755)
        assert stat.S_IMODE(make_private_folder(tmp_path / "records").stat().st_mode) == 0o700


def test_one_run_at_a_time_writes_to_a_folder(tmp_path):
    with (
        folder_lock(tmp_path),
        pytest.raises(InfrastructureError, match="another run is writing here"),
        folder_lock(tmp_path),
    ):
        pass
    with folder_lock(tmp_path):
        pass


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [("=1+1", "'=1+1"), ("+1+1", "'+1+1"), ("-1+1", "'-1+1"), ("@SUM(A1)", "'@SUM(A1)"),
     ("\t=1", "'\t'=1"), ("\r=1", "'\r'=1")],
)  # fmt: skip
def test_no_cell_of_a_results_file_runs_as_a_formula(cell, harmless):
    from aiready.inputs.safe_text import safe_cells

    table = pd.DataFrame({"unit_id": [cell, "claims"], "value": [-1.5, 2.0]})
    shown = safe_cells(table)
    assert shown["unit_id"].tolist() == [harmless, "claims"]
    assert shown["value"].tolist() == [-1.5, 2.0]


def book(folder: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in (PARAMETERS, *sources)]
    for place, cell in enumerate(cells):  # the same cells, the same notebook
        cell.id = f"cell-{place}"
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    path = folder / "tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


SHOWN = """from aiready.pages.markup.blocks import Page
Page(title=unit_id or "all", eyebrow="", meta="", notice="", footer="")"""


class Organisation:
    """Three units with twelve answers each, reported by a notebook of a few lines."""

    def __init__(self, folder: Path, assessment, press, monkeypatch):
        self.out, self.assessment, self.monkeypatch, self.folder = folder / "out", assessment, monkeypatch, folder
        self.press = press

    def run(self, *sources: str, units=("claims", "cards", "=1+1"), pdf=False, **options: object):
        path = book(self.folder, *(sources or (SHOWN,)))
        self.monkeypatch.setattr(report_run, "_notebook", lambda _: path)
        asked = RunOptions(jobs=2, **options)
        request = report_run.ReportRequest("", self.out, tuple(units), asked, pdf=pdf, submit=self.press.submit)
        return report_run.run_report(self.assessment, request)

    def report(self, *sources: str, **asked: object):
        return {outcome.unit_id: outcome for outcome in self.run(*sources, **asked).pages}

    def pages(self):
        return {path.name: path.read_bytes() for path in (self.out / "units").glob("*")}

    def owns(self, *names: str) -> None:
        """Put files there, and the manifest says that an earlier run wrote them."""
        for name in names:
            write_file(self.out / name, b"of an earlier run")
        content = self.manifest()
        path = self.out / "records" / "manifest.json"
        path.write_text(json.dumps(content | {"files": [*content["files"], *names]}))

    def manifest(self):
        return json.loads((self.out / "records" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def three_units(tmp_path_factory):
    from aiready import Assessment

    data = tmp_path_factory.mktemp("three")
    answers(36, unit_id=["claims"] * 12 + ["cards"] * 12 + ["=1+1"] * 12).to_csv(data / "responses.csv", index=False)
    return Assessment.open(data)


@pytest.fixture
def organisation(tmp_path, three_units, press, monkeypatch):
    return Organisation(tmp_path, three_units, press, monkeypatch)


@pytest.mark.slow
class TestRun:
    def test_writes_pages_records_and_an_index_for_their_readers(self, organisation):
        outcomes = organisation.report()
        assert {outcome.status for outcome in outcomes.values()} == {"ok"}
        assert set(organisation.pages()) == {"claims.html", "cards.html", f"{file_stem('=1+1')}.html"}
        assert stat.S_IMODE((organisation.out / "records").stat().st_mode) == 0o700
        index = (organisation.out / "overview" / "index.html").read_text()
        assert index.count("../units/") == 3
        for name in ("claims.html", "cards.html", f"{file_stem('=1+1')}.html"):
            assert f'href="../units/{name}"' in index
        manifest = json.loads((organisation.out / "records" / "manifest.json").read_text())
        assert len(manifest["pages"]) == 4
        assert manifest["inputs"][0]["sha256"]
        assert manifest["notebooks"] == ["forked"]

    def test_results_hold_no_formula_for_a_unit_named_like_one(self, organisation):
        organisation.report(units=())
        for path in (organisation.out / "records" / "results").glob("*.csv"):
            for line in path.read_text().splitlines()[1:]:
                assert not line.startswith(("=", "+", "@")), path.name
        measures = pd.read_csv(organisation.out / "records" / "results" / "measures.csv")
        assert "'=1+1" in set(measures["unit_id"])

    def test_a_unit_that_fails_does_not_stop_the_rest_and_leaves_its_evidence(self, organisation):
        organisation.report()
        before = organisation.pages()
        outcomes = organisation.report(SHOWN, "if unit_id == 'cards':\n    raise ValueError('the cards are marked')")
        assert {name: outcome.status for name, outcome in outcomes.items()} == {
            "*": "ok", "claims": "ok", "cards": "cell error", "=1+1": "ok"}  # fmt: skip
        assert "the cards are marked" in outcomes["cards"].reason
        failed = organisation.out / "records" / "failed"
        assert {path.name for path in failed.iterdir()} == {"cards.txt", "cards.ipynb"}
        assert "Traceback" in (failed / "cards.txt").read_text()
        assert organisation.pages()["cards.html"] == before["cards.html"], "the last good handout stays"
        index = (organisation.out / "overview" / "index.html").read_text()
        assert "the cards are marked" in index
        organisation.report()
        assert list(failed.iterdir()) == [], "what works again loses its evidence"

    def test_a_page_of_a_unit_that_fails_the_first_time_is_not_there(self, organisation):
        organisation.report("raise SystemError('x')", units=("cards",))
        assert organisation.pages() == {}

    @pytest.mark.parametrize(
        ("source", "options", "status"),
        [("import os; os._exit(9)", {}, "killed"), ("import time; time.sleep(60)", {"timeout": 2.0}, "time-out")],
    )
    def test_a_process_that_dies_or_hangs_is_told_by_its_true_cause(self, organisation, source, options, status):
        outcomes = organisation.report(
            f"if unit_id == 'cards':\n    {source}", SHOWN, units=("cards", "claims"), **options
        )
        assert outcomes["cards"].status == status
        assert outcomes["claims"].status == "ok"

    def test_fail_fast_stops_at_the_first_failure_and_tells_what_was_not_made(self, organisation):
        outcomes = organisation.report("raise ValueError", fail_fast=True)
        found = [outcome.status for outcome in outcomes.values()]
        assert len(found) == 4
        assert set(found) == {"cell error", "cancelled"}
        assert found.count("cell error") < 4

    def test_max_failures_stops_there(self, organisation):
        outcomes = organisation.report("import time; time.sleep(0.3)", "raise ValueError", max_failures=2)
        assert {outcome.status for outcome in outcomes.values()} == {"cell error", "cancelled"}

    def test_a_page_without_a_required_section_is_not_published_and_the_last_good_one_stays(self, organisation):
        organisation.report()
        before = organisation.pages()
        path = book(organisation.folder, SHOWN)
        asked = nbformat.read(path, as_version=4)
        asked.metadata["aiready"] = {"required": ["to-do"]}
        nbformat.write(asked, path)
        organisation.monkeypatch.setattr(report_run, "_notebook", lambda _: path)
        request = report_run.ReportRequest(
            "", organisation.out, ("claims",), RunOptions(), submit=organisation.press.submit
        )
        (_, outcome) = report_run.run_report(organisation.assessment, request).pages
        assert (outcome.status, outcome.reason) == (
            "render", "the page was not published: the section to-do is missing")  # fmt: skip
        assert organisation.pages() == before
        assert "failed in the latest run (render); the page is from an earlier run" in (
            organisation.out / "overview" / "index.html").read_text()  # fmt: skip

    def test_a_parameter_that_the_notebook_does_not_have_is_told(self, organisation):
        organisation.monkeypatch.setattr("test_reports.PARAMETERS", 'results: str = ""\nwave: str = ""')
        outcomes = organisation.report(SHOWN.replace("unit_id or", ""), units=("cards",))
        assert outcomes["*"].status == "ok"
        assert outcomes["cards"].status == "invalid parameters"
        assert outcomes["cards"].reason == "unit_id: not among the notebook's parameters results, wave"

    def test_a_unit_that_became_too_small_and_is_not_made_anew_is_withdrawn(self, organisation):
        organisation.report()
        measures = organisation.assessment.measures.copy()
        small = measures["unit_id"].eq("cards") & measures["measure"].eq("perception")
        measures.loc[small, ["status", "note"]] = ["suppressed", FEW]
        tables = {**organisation.assessment.tables, "measures": measures}
        organisation.assessment = dataclasses.replace(organisation.assessment, tables=tables)
        assert organisation.run(units=("claims",)).withdrawn == ["cards"]
        assert set(organisation.pages()) == {"claims.html", f"{file_stem('=1+1')}.html"}
        assert "too few people now" in (organisation.out / "overview" / "index.html").read_text()

    def test_a_run_that_is_told_to_stop_leaves_whole_pages_and_is_taken_up(self, organisation):
        calls = []

        def stop_after_two(outcome):
            calls.append(outcome)
            if len(calls) == 2:
                raise SystemExit(143)

        path = book(organisation.folder, SHOWN)
        organisation.monkeypatch.setattr(report_run, "_notebook", lambda _: path)
        units = ("claims", "cards", "=1+1")
        request = report_run.ReportRequest("", organisation.out, units, RunOptions(jobs=1), stop_after_two, False,
                                  organisation.press.submit)  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            report_run.run_report(organisation.assessment, request)
        assert ended.value.code == 143
        statuses = [page["status"] for page in organisation.manifest()["pages"].values()]
        assert statuses.count("ok") == 2
        assert statuses.count("cancelled") == 2
        kept = [outcome.unchanged for outcome in organisation.report().values()]
        assert kept.count(True) == 2

    def test_leftovers_of_a_run_that_was_killed_are_swept_and_nothing_else(self, organisation):
        write_file(organisation.out / "units" / ".claims.html.abcd_123.part", b"half a pa")
        write_file(organisation.out / "records" / "history" / ".abcd1234.part" / "people.parquet", b"half")
        write_file(organisation.out / "units" / ".htaccess", b"Deny from all")
        organisation.report(units=())
        assert [path.name for path in (organisation.out / "units").iterdir()] == [".htaccess"]
        assert not list((organisation.out / "records" / "history").glob(".*"))

    def test_the_pages_of_units_that_are_gone_are_withdrawn_whatever_is_asked_for(self, organisation):
        organisation.report("if unit_id == 'cards':\n    raise ValueError", SHOWN)
        organisation.report()
        organisation.owns("units/cards.pdf", "figures/cards/01-a.svg", "records/failed/cards.txt")
        units = organisation.assessment.units
        tables = {**organisation.assessment.tables, "units": units[units["unit_id"] != "cards"]}
        organisation.assessment = dataclasses.replace(organisation.assessment, tables=tables)
        assert organisation.run(units=("claims",)).withdrawn == ["cards"]
        assert set(organisation.pages()) == {"claims.html", f"{file_stem('=1+1')}.html"}
        assert not (organisation.out / "figures" / "cards").exists()
        assert not list(organisation.out.rglob("cards*"))
        assert "cards" in (organisation.out / "overview" / "index.html").read_text()
        assert not [name for name in organisation.manifest()["files"] if "cards" in name]

    def test_a_locked_folder_is_refused_before_anything_is_written(self, organisation):
        organisation.out.mkdir()
        with folder_lock(organisation.out), pytest.raises(InfrastructureError, match="another run"):
            organisation.report()
        assert {path.name for path in organisation.out.iterdir()} == {".lock"}

    def test_a_units_process_sees_its_own_slice_and_the_total_only(self, organisation):
        source = "import pathlib\nfrom aiready import Assessment\nown = Assessment.open(results=results)"
        shown = "seen = {n: sorted(set(t['unit_id'])) for n, t in own.tables.items() if 'unit_id' in t}"
        check = "assert all(set(ids) <= {unit_id, '*'} for ids in seen.values()), seen"
        outcomes = organisation.report(source, shown, f"if unit_id:\n    {check}", SHOWN)
        assert {outcome.status for outcome in outcomes.values()} == {"ok"}, outcomes


@pytest.mark.slow
class TestUnchanged:
    """What nothing has changed is not made again; what has is, and the run says why."""

    def test_a_second_run_makes_nothing_and_changes_no_file_a_reader_sees(self, organisation):
        organisation.report()
        before = {path: path.stat().st_mtime_ns for path in (organisation.out / "units").iterdir()}
        run = organisation.run()
        assert all(outcome.unchanged for outcome in run.pages)
        assert run.count("unchanged") == 4
        assert {path: path.stat().st_mtime_ns for path in (organisation.out / "units").iterdir()} == before
        assert "nothing it depends on has changed" in (organisation.out / "overview" / "index.html").read_text()

    def test_force_makes_all_again_with_the_same_bytes(self, organisation):
        organisation.report()
        run = organisation.run(force=True)
        assert run.count("as before") == 4
        assert {outcome.why for outcome in run.pages} == {"asked for by --force"}

    def test_another_notebook_package_or_questionnaire_makes_all_again_and_is_named(self, organisation, monkeypatch):
        organisation.report()
        assert {outcome.why for outcome in organisation.report(SHOWN, "1").values()} == {"notebook changed"}
        monkeypatch.setattr(report_run, "package_digest", lambda: "another")
        assert {outcome.why for outcome in organisation.report(SHOWN, "1").values()} == {"package changed"}

    def test_a_page_that_somebody_edited_or_removed_is_made_again(self, organisation):
        organisation.report()
        before = organisation.pages()
        (organisation.out / "units" / "claims.html").write_text("mine")
        (organisation.out / "units" / "cards.html").unlink()
        outcomes = organisation.report()
        assert {name for name, outcome in outcomes.items() if not outcome.unchanged} == {"claims", "cards"}
        assert organisation.pages() == before

    def test_what_failed_is_tried_again(self, organisation):
        organisation.report("if unit_id == 'cards':\n    raise ValueError", SHOWN)
        outcomes = organisation.report("if unit_id == 'cards':\n    raise ValueError", SHOWN)
        assert [name for name, outcome in outcomes.items() if not outcome.unchanged] == ["cards"]

    def test_figures_and_pdf_of_another_page_than_the_one_published_go(self, organisation):
        organisation.report(figures=True)
        figures = organisation.out / "figures" / "claims"
        organisation.owns("figures/claims/01-a.svg", "units/claims.pdf")
        assert all(outcome.unchanged for outcome in organisation.report(figures=True).values())
        assert figures.exists()
        organisation.report(SHOWN.replace('eyebrow=""', 'eyebrow="another"'))
        assert not figures.exists()
        assert not (organisation.out / "units" / "claims.pdf").exists()

    @pytest.mark.parametrize("content", ["{", "[]", "{}", '{"pages": 3}', '{"pages": {"a.html": {}}}'])
    def test_a_manifest_that_cannot_be_read_is_named_and_nothing_is_changed(self, organisation, content):
        organisation.report()
        (organisation.out / "records" / "manifest.json").write_text(content)
        before = organisation.pages()
        with pytest.raises(
            InfrastructureError, match=r"records/manifest\.json: cannot be read .*Restore it from a copy"
        ):
            organisation.report(force=True)
        assert organisation.pages() == before

    def test_a_manifest_of_a_version_that_named_only_pages_is_taken_up(self, organisation):
        organisation.report()
        content = organisation.manifest()
        del content["files"]
        (organisation.out / "records" / "manifest.json").write_text(json.dumps(content))
        for name in ("units/mine.html", "figures/claims/01-a.svg", "records/quarantine/tasks.csv"):
            write_file(organisation.out / name, b"")
        assert organisation.run().count("unchanged") == 4
        files = organisation.manifest()["files"]
        assert {"units/claims.html", "figures/claims/01-a.svg", "records/results/units.csv"} <= set(files)
        assert (organisation.out / "units" / "mine.html").exists()
        assert not (organisation.out / "records" / "quarantine" / "tasks.csv").exists()

    def test_the_history_keeps_as_many_releases_as_it_is_told(self, organisation):
        organisation.report(units=())
        history = organisation.out / "records" / "history"
        (history / "2020-01-01-000000000000").mkdir()
        os.utime(history / "2020-01-01-000000000000", (0, 0))
        request = report_run.ReportRequest(
            "", organisation.out, (), RunOptions(), submit=organisation.press.submit, keep_releases=1
        )
        report_run.run_report(organisation.assessment, request)
        (left,) = (path for path in history.iterdir() if path.name != "keys")
        assert not left.name.startswith("2020")


def test_a_changed_answer_makes_its_unit_its_parents_and_the_organisation_again(sample, tmp_path):
    """And no other: what a page shows of the organisation stands in its slice as it is shown."""
    from aiready import Assessment
    from aiready.batch.page_inputs import PageInputsBuilder

    data = tmp_path / "data"
    shutil.copytree(SAMPLE, data)
    responses = pd.read_csv(data / "responses.csv", dtype=str, keep_default_na=False)
    of_finance = (responses["unit_id"] == "finance") & (responses["wave"] == "2026-Q3")
    row = responses.index[of_finance & responses["purpose_told"].isin(["1", "2", "3"])][0]
    responses.loc[row, "purpose_told"] = str(int(responses.loc[row, "purpose_told"]) + 1)
    data.chmod(0o755)
    (data / "responses.csv").unlink()
    responses.to_csv(data / "responses.csv", index=False)
    changed = Assessment.open(data)
    units = ["*", *sample.units["unit_id"]]
    slicers = PageInputsBuilder(sample, {}), PageInputsBuilder(changed, {})
    before, after = ({unit_id: slicer.page_inputs(unit_id) for unit_id in units} for slicer in slicers)
    again = [unit_id for unit_id in units if before[unit_id].parts != after[unit_id].parts]
    assert again == ["*", "corporate-services", "finance"]
    same = set(units) - set(again)
    assert all(before[unit_id].files == after[unit_id].files for unit_id in same), "equal digests, equal bytes"


def test_a_slice_holds_of_the_organisation_only_what_pages_show_as_they_show_it(sample):
    from aiready.batch.page_inputs import _as_on_pages

    own = _as_on_pages(sample.unit("finance"))
    total = own.measures[own.measures["unit_id"] == "*"]
    assert set(total["measure"]) == {"adoption"}
    assert total[["low", "high", "n"]].isna().all(axis=None)
    assert all(len(own.tables[name].query("unit_id == '*'")) == 0 for name in ("items", "explain", "facets"))
    barriers = own.barriers[own.barriers["unit_id"] == "*"]
    assert set(barriers["wave"]) == {"2026-Q3"}
    assert (barriers["perception"] == barriers["perception"].round()).all()
    with pytest.raises(UsageError, match="add it to TOTALS"):
        own.cell("decision_accuracy", unit_id="*")


def test_the_same_data_give_the_same_bytes(reports_folder, sample, press, tmp_path):
    request = report_run.ReportRequest("", tmp_path, ("treasury",), RunOptions(jobs=2), submit=press.submit)
    report_run.run_report(sample, request)
    for name in ("units/treasury.html", "overview/portfolio.html"):
        assert (tmp_path / name).read_bytes() == (reports_folder / name).read_bytes()
    # everything else of the earlier folder differs in clock and units asked for only
    mine, first = (folder / "records" / "results" / "measures.csv" for folder in (tmp_path, reports_folder))
    assert mine.read_bytes() == first.read_bytes()


def test_the_units_stand_in_the_order_of_the_organisation(reports_folder):
    index = (reports_folder / "overview" / "index.html").read_text()
    order = [
        "Customer operations",
        "Motor claims",
        "Contact centre",
        "Underwriting and products",
        "Corporate services",
        "Treasury",
    ]
    places = [index.index(f">{name}<") for name in order]
    assert places == sorted(places)


def test_the_index_leads_to_pages_that_are_there_and_says_of_the_others_that_they_are_not(reports_folder):
    index = (reports_folder / "overview" / "index.html").read_text()
    linked = re.findall(r'href="([^"#]+)"', index)
    assert linked
    assert all((reports_folder / "overview" / address).exists() for address in linked)
    assert re.search(r">Broker service</th><td[^>]*>not made yet<", index)
