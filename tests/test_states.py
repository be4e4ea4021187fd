"""Handouts of every state that data can be in: each must look finished on a screen, on a phone and on paper."""

import shutil
from itertools import product

import pandas as pd
import pytest
from conftest import SAMPLE
from opened import HEADINGS, NARROW, OUT_OF_FRAME, OVERLAPS, PHONE, RULES, TOO_WIDE, WIDE

from aiready import Assessment
from aiready.batch.report_run import ReportRequest, run_report
from aiready.batch.schedule import RunOptions

pytestmark = pytest.mark.slow
LONG = (
    "Department for the settlement of complicated claims of members abroad and of all questions that follow from them"
)
UNBROKEN = (
    "Schadenregulierungsabteilungsleiterkonferenzprotokollführungsverantwortlichkeitsübertragungsnachweisverwaltung"
)


def sample(folder, *names):
    """Some tables of the sample; all of them by default."""
    folder.mkdir()
    for path in SAMPLE.iterdir():
        if not names or path.stem in names:
            shutil.copy(path, folder)
    return folder


def changed(folder, name, change):
    """One of the tables, changed."""
    path = folder / f"{name}.csv"
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def answers_only(folder):
    return sample(folder, "responses", "units"), "motor-claims"


def tasks_only(folder):
    return sample(folder, "tasks"), "motor-claims"


def trials_only(folder):
    return sample(folder, "initiatives", "trials"), "motor-claims"


def decisions_only(folder):
    return sample(folder, "decisions"), "motor-claims"


def nothing_but_units(folder):
    return sample(folder, "units"), "motor-claims"


def one_wave(folder):
    changed(sample(folder), "responses", lambda rows: rows[rows["wave"] == rows["wave"].max()])
    return folder, "motor-claims"


def eight_waves(folder):
    def twice(rows):
        earlier = rows.assign(wave=rows["wave"].map(lambda wave: f"{int(wave[:4]) - 1}{wave[4:]}"))
        earlier["respondent_id"] = ""
        return pd.concat([earlier, rows])

    changed(sample(folder), "responses", twice)
    return folder, "motor-claims"


def names_of_120_characters(folder):
    sample(folder)
    own = ("motor-claims", "property-claims")
    changed(folder, "units", lambda rows: rows.assign(
        name=rows["name"].mask(rows["unit_id"] == own[0], LONG).mask(rows["unit_id"] == own[1], UNBROKEN)))  # fmt: skip
    changed(
        folder,
        "initiatives",
        lambda rows: rows.assign(name=[LONG, UNBROKEN] * (len(rows) // 2) + [LONG] * (len(rows) % 2)),
    )
    changed(folder, "tasks", lambda rows: rows.assign(task=rows["task"] + ": " + LONG, job=UNBROKEN))
    changed(
        folder,
        "workflow_steps",
        lambda rows: rows.assign(step=rows["step"] + " " + LONG, workflow=rows["workflow"] + " " + LONG),
    )
    changed(folder, "trials", lambda rows: rows.assign(measure=rows["measure"] + " " + LONG))
    return folder, own[0]


def other_scripts(folder):
    sample(folder)
    changed(
        folder,
        "units",
        lambda rows: rows.assign(
            name=rows["name"].mask(rows["unit_id"] == "motor-claims", "مطالبات السيارات والحوادث")
        ),
    )
    changed(folder, "initiatives", lambda rows: rows.assign(name="理赔信件起草与核对系统"))
    changed(folder, "tasks", lambda rows: rows.assign(task="回复客户来信并核对附件"))
    changed(folder, "workflow_steps", lambda rows: rows.assign(step="فتح الملف ومراجعة التقرير"))
    return folder, "motor-claims"


def forty_initiatives(folder):
    def forty(rows):
        many = pd.concat([rows] * (40 // len(rows) + 1)).head(40)
        ids = [f"initiative-{place}" for place in range(40)]
        return many.assign(
            initiative_id=ids, unit_id="motor-claims", name=many["name"] + [f" {place}" for place in range(40)]
        )

    changed(sample(folder, "units", "responses", "initiatives"), "initiatives", forty)
    return folder, "motor-claims"


def no_initiatives(folder):
    sample(folder)
    for name in ("initiatives", "usage", "trials", "decisions", "feedback", "probes"):
        for path in folder.glob(f"{name}.*"):
            path.unlink()
    for name in ("tasks", "workflow_steps"):
        changed(folder, name, lambda rows: rows.drop(columns="initiative_id", errors="ignore"))
    return folder, "motor-claims"


STATES = (
    answers_only, tasks_only, trials_only, decisions_only, nothing_but_units, one_wave, eight_waves,
    names_of_120_characters, other_scripts, forty_initiatives, no_initiatives,
)  # fmt: skip
PAGES = ("unit", "portfolio", "index")


@pytest.fixture(
    scope="module",
    params=[pytest.param(state, id=state.__name__, marks=pytest.mark.xdist_group(state.__name__)) for state in STATES],
)
def made(request, press, tmp_path_factory):
    """The pages of one state: of a unit, the portfolio, the index."""
    folder = tmp_path_factory.mktemp("state")
    data, unit_id = request.param(folder / "data")
    asked = ReportRequest(str(data), folder / "out", (unit_id,), RunOptions(jobs=2), submit=press.submit)
    run = run_report(Assessment.open(data), asked)
    assert [outcome.status for outcome in run.pages] == ["ok", "ok"], run.pages
    overview = folder / "out" / "overview"
    return {
        "unit": folder / "out" / "units" / f"{unit_id}.html",
        "portfolio": overview / "portfolio.html",
        "index": overview / "index.html",
    }


@pytest.mark.parametrize(("name", "width"), list(product(PAGES, (WIDE, PHONE))))
def test_the_page_looks_finished(pages, made, name, width):
    address = made[name].as_uri()
    opened = pages.at(address, width)
    assert opened.requests == [address]
    assert opened.complaints == []
    assert opened.page.evaluate(TOO_WIDE) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.evaluate(OUT_OF_FRAME) == []
    assert opened.page.evaluate(OVERLAPS) == []
    assert opened.page.evaluate(HEADINGS).count(1) == 1
    assert opened.violations(RULES if width == WIDE else NARROW) == []


def test_no_section_is_a_heading_alone(pages, made):
    empty = """[...document.querySelectorAll('main h2')].filter(h => {
      const next = h.nextElementSibling;
      return h.checkVisibility() && (!next || next.matches('h2'));
    }).map(h => h.textContent)"""
    for path in made.values():
        assert pages.at(path.as_uri(), WIDE).page.evaluate(empty) == [], path.name


def test_no_unmeasured_number_reads_as_nought_or_nan(pages, made):
    text = pages.at(made["unit"].as_uri(), WIDE).page.inner_text("body")
    for word in ("nan", "NaN", "None", "inf", "<NA>"):
        assert f" {word} " not in f" {text} "


def test_printed_no_chart_is_cut_by_the_end_of_a_page(pages, made):
    """A figure is never taller than the paper: then the browser can keep it whole, and does (`break-inside`)."""
    paper = (297 - 34) / 25.4 * 96
    for name in ("unit", "portfolio"):
        opened = pages.fresh(made[name].as_uri(), 680)
        opened.page.emulate_media(media="print")
        heights = opened.page.evaluate(
            "[...document.querySelectorAll('figure')].map(f => [f.id, f.getBoundingClientRect().height])"
        )
        assert [figure for figure in heights if figure[1] > paper] == []
