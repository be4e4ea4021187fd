import json
import re
import stat
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import answers

from aiready import publication, reports
from aiready.batch import Options
from aiready.errors import InfrastructureError
from aiready.publication import locked, private, slug, write

PARAMETERS = 'unit_id: str = ""\ndata: str = ""\nresults: str = ""\nwave: str = ""\nas_of: str = ""'


class TestSlug:
    def test_keeps_plain_ids(self):
        assert [slug(name) for name in ("claims", "unit-7", "a")] == ["claims", "unit-7", "a"]

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
        made = [slug(name) for name in ids]
        assert len(set(made)) == len(ids)
        for name in made:
            assert name
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    def test_is_the_same_every_time(self):
        assert slug("Claims/North") == "claims-north-414cbf"


class TestWrite:
    def test_replaces_a_file_whole(self, tmp_path):
        path = tmp_path / "deep" / "page.html"
        write(path, b"old")
        write(path, b"new")
        assert path.read_bytes() == b"new"
        assert [file.name for file in path.parent.iterdir()] == ["page.html"]

    def test_keeps_the_old_file_and_leaves_no_rubbish_when_the_disk_is_full(self, tmp_path, monkeypatch):
        path = tmp_path / "page.html"
        write(path, b"old")

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(publication.os, "fsync", full)
        with pytest.raises(InfrastructureError, match=r"page\.html: cannot be written \(No space left on device\)"):
            write(path, b"new")
        assert path.read_bytes() == b"old"
        assert [file.name for file in tmp_path.iterdir()] == ["page.html"]

    def test_says_so_when_a_file_stands_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "units").write_text("a file")
        with pytest.raises(InfrastructureError, match="cannot be written"):
            write(tmp_path / "units" / "page.html", b"x")

    def test_private_folders_are_for_their_owner_alone(self, tmp_path):
        tmp_path.joinpath("records").mkdir(mode=0o755)
        assert stat.S_IMODE(private(tmp_path / "records").stat().st_mode) == 0o700


def test_one_run_at_a_time_writes_to_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(InfrastructureError, match="another run is writing here"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_results_file_runs_as_a_formula(cell):
    from aiready.sources import safe_cells

    table = pd.DataFrame({"unit_id": [cell, "claims"], "value": [-1.5, 2.0]})
    shown = safe_cells(table)
    assert shown["unit_id"].tolist() == [f"'{cell}", "claims"]
    assert shown["value"].tolist() == [-1.5, 2.0]


def book(folder: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_code_cell(source) for source in (PARAMETERS, *sources)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    path = folder / "tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


SHOWN = """from aiready.html.blocks import Page
Page(title=unit_id or "all", eyebrow="", meta="", notice="", footer="")"""


class Organisation:
    """Three units with twelve answers each, reported by a notebook of a few lines."""

    def __init__(self, folder: Path, assessment, monkeypatch):
        self.out, self.assessment, self.monkeypatch, self.folder = folder / "out", assessment, monkeypatch, folder

    def report(self, *sources: str, units=("claims", "cards", "=1+1"), **options: object):
        path = book(self.folder, *(sources or (SHOWN,)))
        self.monkeypatch.setattr(reports, "_notebook", lambda _: path)
        request = reports.Request("", self.out, tuple(units), Options(jobs=2, **options))
        return {outcome.unit_id: outcome for outcome in reports.report(self.assessment, request).outcomes}

    def pages(self):
        return {path.name: path.read_bytes() for path in (self.out / "units").glob("*")}


@pytest.fixture(scope="module")
def three_units(tmp_path_factory):
    from aiready import Assessment

    data = tmp_path_factory.mktemp("three")
    answers(36, unit_id=["claims"] * 12 + ["cards"] * 12 + ["=1+1"] * 12).to_csv(data / "responses.csv", index=False)
    return Assessment.open(data)


@pytest.fixture
def organisation(tmp_path, three_units, monkeypatch):
    return Organisation(tmp_path, three_units, monkeypatch)


@pytest.mark.slow
class TestRun:
    def test_writes_pages_records_and_an_index_for_their_readers(self, organisation):
        outcomes = organisation.report()
        assert {outcome.status for outcome in outcomes.values()} == {"ok"}
        assert set(organisation.pages()) == {"claims.html", "cards.html", f"{slug('=1+1')}.html"}
        assert stat.S_IMODE((organisation.out / "records").stat().st_mode) == 0o700
        index = (organisation.out / "overview" / "index.html").read_text()
        assert index.count("../units/") == 3
        for name in ("claims.html", "cards.html", f"{slug('=1+1')}.html"):
            assert f'href="../units/{name}"' in index
        manifest = json.loads((organisation.out / "records" / "manifest.json").read_text())
        assert len(manifest["pages"]) == 4
        assert manifest["inputs"][0]["sha256"]

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

    def test_fail_fast_stops_at_the_first_failure(self, organisation):
        outcomes = organisation.report("raise ValueError", units=("claims", "cards", "=1+1"), fail_fast=True)
        assert len(outcomes) < 4

    def test_the_pages_of_units_that_are_gone_are_withdrawn_whatever_is_asked_for(self, organisation):
        for name in ("claims.html", "dissolved.html"):
            write(organisation.out / "units" / name, b"of an earlier run")
        organisation.report(units=("cards",))
        assert set(organisation.pages()) == {"claims.html", "cards.html"}
        assert "dissolved" in (organisation.out / "overview" / "index.html").read_text()

    def test_a_locked_folder_is_refused_before_anything_is_written(self, organisation):
        organisation.out.mkdir()
        with locked(organisation.out), pytest.raises(InfrastructureError, match="another run"):
            organisation.report()
        assert {path.name for path in organisation.out.iterdir()} == {".lock"}

    def test_a_units_process_sees_its_own_slice_and_the_total_only(self, organisation):
        source = "import pathlib\nfrom aiready import Assessment\nown = Assessment.open(results=results)"
        shown = "seen = {n: sorted(set(t['unit_id'])) for n, t in own.tables.items() if 'unit_id' in t}"
        check = "assert all(set(ids) <= {unit_id, '*'} for ids in seen.values()), seen"
        outcomes = organisation.report(source, shown, f"if unit_id:\n    {check}", SHOWN)
        assert {outcome.status for outcome in outcomes.values()} == {"ok"}, outcomes


def test_the_same_data_give_the_same_bytes(reports_folder, sample, tmp_path):
    request = reports.Request("", tmp_path, ("treasury",), Options(jobs=2))
    reports.report(sample, request)
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
