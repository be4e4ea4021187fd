"""A JupyterLab of its own for the tests, and its notebooks open in Chromium with every other address cut off.

    def test_it_runs(laboratory, chromium):
        with laboratory.open(chromium, "00_start_here") as notebook:
            notebook.run_all()
            assert notebook.errors() == []

`tests/conftest.py` makes both fixtures known to every test file.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[1]
START_SECONDS, RUN_SECONDS = 120, 240
"""How long a server may take to start, and a notebook to run: generous, since tests share the machine."""
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Makes Chromium know no name but this machine's. (Stopping requests by Playwright would switch its cache off.)"""
PANEL = "window.jupyterapp.shell.currentWidget"
KERNEL = f"{PANEL}.sessionContext.session.kernel"
RAN = """() => {
  window.ran = undefined;
  window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; });
}"""
SETTLED = f"""async () => {{
  await {KERNEL}.requestExecute({{code: '', silent: true, store_history: false}}).done;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}}"""
"""Waits until the kernel has answered everything sent so far, and the page has been drawn since."""
QUIET = f"""async () => {{
  const kernel = {KERNEL}, begun = performance.now();
  let last = begun;
  const note = () => {{ last = performance.now(); }};
  const watch = new MutationObserver(note);
  watch.observe(document.querySelector('.jp-Notebook'), {{subtree: true, childList: true, characterData: true}});
  kernel.anyMessage.connect(note);
  while (performance.now() - last < 100 || kernel.status !== 'idle' || document.querySelector('[data-busy]')) {{
    if (performance.now() - begun > 60000) throw new Error('a notebook does not come to rest');
    await new Promise(done => setTimeout(done, 20));
  }}
  kernel.anyMessage.disconnect(note);
  watch.disconnect();
}}"""
"""Waits until for a tenth of a second nothing was said between page and kernel, and nothing on the page changed: what
a control says goes only when the kernel has answered what it said before, after anything asked meanwhile."""
EVALUATED = f"""async code => {{
  const asked = {KERNEL}.requestExecute(
    {{code: '', silent: true, store_history: false, user_expressions: {{it: code}}}});
  return (await asked.done).content.user_expressions.it;
}}"""
LISTENING = f"""() => {{
  window.complaints = [];
  const kernel = {KERNEL};
  kernel.iopubMessage.connect((_, message) => {{
    const kind = message.header.msg_type, told = message.content;
    if (kind === 'error') window.complaints.push(told.ename + ': ' + told.evalue);
    // a kernel that has not imported ipywidgets yet says so when JupyterLab looks for widgets to restore
    if (kind === 'stream' && told.name === 'stderr' && !told.text.startsWith('No such comm'))
      window.complaints.push(told.text);
  }});
}}"""
"""Collects what goes wrong in the kernel, also where no cell shows it (a control's own code)."""
OUTPUTS = f"""() => {PANEL}.content.model.toJSON().cells.flatMap(cell => cell.outputs || [])"""
SCROLLED_UP = """() => {
  const inside = document.querySelector('.jp-Notebook .jp-WindowedPanel-outer');
  const notebook = inside || document.querySelector('.jp-Notebook');
  notebook.scrollTop = 0;
  return notebook.scrollHeight;
}"""
DRAWN = """() => [...document.querySelectorAll('.jp-OutputArea-output :is(svg[role=img], svg.marks)')]
  .filter(svg => svg.checkVisibility())
  .map(svg => ({
    label: svg.getAttribute('aria-label') || svg.querySelector('title')?.textContent || '',
    marks: svg.querySelectorAll('path, rect, circle, line, text').length,
    words: [...svg.querySelectorAll('text')].map(text => text.textContent.trim()).filter(Boolean),
    width: svg.getBoundingClientRect().width,
  }))"""
"""Charts are drawn as SVG: by the figures themselves, or by Vega in a `JupyterChart`."""
CONTROLS = """() => [...document.querySelectorAll(
    '.jp-OutputArea-output .jupyter-widgets :is(input, select, textarea, button, [role=slider])')]
  .filter(control => control.checkVisibility())
  .map(control => control.getAttribute('aria-label')
    || (control.labels?.length && !control.matches('button') ? control.labels[0].textContent : '')
    || (control.matches('button') ? control.textContent.trim() : '') || control.title)"""

STOPS = """panel => {
  const named = stop => (stop.labels?.[0]?.textContent || stop.ariaLabel || stop.textContent).trim();
  const groups = new Set();
  const stops = [...panel.querySelectorAll('select, input, textarea, button, summary, [tabindex="0"]')]
    .filter(stop => stop.checkVisibility() && !stop.disabled)
    .filter(stop => stop.type !== 'radio' || !stop.name || !groups.has(stop.name) && groups.add(stop.name));
  stops[0]?.focus();
  window.stopsNamed = named;
  return stops.map(named);
}"""
"""Names of what the Tab key should reach in a panel, in the order of the page; the first of them gets the focus."""
FAINTEST = """() => {
  const lit = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const channels = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let up = element; up; up = up.parentElement) {
      const paint = channels(getComputedStyle(up).backgroundColor);
      if (paint.length === 3 || paint[3] > .9) return paint;
    }
    return [255, 255, 255];
  };
  const words = [...document.querySelectorAll('.aiready-panel :is(p, h2, h3, label, summary, td, th, svg text)')]
    .filter(e => e.checkVisibility() && e.textContent.trim());
  return Math.min(...words.map(e => {
    const ink = channels(getComputedStyle(e)[e.closest('svg') ? 'fill' : 'color']);
    const [a, b] = [lit(ink), lit(behind(e))].sort((x, y) => y - x);
    return (a + .05) / (b + .05);
  }));
}"""
"""Contrast of the faintest words of a panel with the page behind them (WCAG)."""


@dataclass
class Notebook:
    """One notebook open in JupyterLab, in Chromium."""

    laboratory: "Laboratory"
    page: Any
    name: str
    refused: list[str] = field(default_factory=list)
    """Addresses off this machine that something asked for; none of them is known to this browser."""

    def load(self) -> None:
        """Open the notebook, or open it again as after closing the tab; its kernel, if alive, is found again."""
        self.page.goto(f"{self.laboratory.address}/lab/tree/{self.name}.ipynb?token={self.laboratory.token}&reset")
        self.page.wait_for_function(f"window.jupyterapp && {PANEL}?.content?.model", timeout=1000 * START_SECONDS)
        self.page.wait_for_function(f"{PANEL}.sessionContext.session?.kernel?.status === 'idle'",
                                    timeout=1000 * START_SECONDS)  # fmt: skip
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")
        self.page.evaluate(LISTENING)

    def run_all(self, seconds: float = RUN_SECONDS) -> float:
        """Run all cells, wait until the kernel is idle, and tell how many seconds that took."""
        started = time.monotonic()
        self.page.evaluate(RAN)
        self.page.wait_for_function("window.ran", timeout=1000 * seconds)
        took = time.monotonic() - started
        self.settle()
        return took

    def settle(self) -> None:
        """Wait until the kernel has answered everything, every picture of a panel is drawn, and nothing moves."""
        self.page.evaluate(SETTLED)
        self.page.evaluate(QUIET)

    def value(self, expression: str) -> str:
        """What an expression is in the notebook's kernel, as Python prints it."""
        told = self.page.evaluate(EVALUATED, expression)
        assert told["status"] == "ok", told
        return told["data"]["text/plain"]

    def outputs(self) -> list[dict[str, Any]]:
        """Every output of every cell, as the notebook file would hold it."""
        return self.page.evaluate(OUTPUTS)

    def errors(self) -> list[str]:
        """What went wrong: error outputs, and what the kernel complained of, in a cell or in a control's own code."""
        shown = [f"{told['ename']}: {told['evalue']}" for told in self.outputs() if told["output_type"] == "error"]
        return [*shown, *self.page.evaluate("window.complaints")]

    def charts(self) -> list[dict[str, Any]]:
        """Charts on the page: `label`, `marks` (how many are drawn), `words` (in the picture), `width` in pixels."""
        return self.page.evaluate(DRAWN)

    def controls(self) -> list[str]:
        """Names of the controls on the page as a screen reader says them; '' is one without a name."""
        return self.page.evaluate(CONTROLS)

    def control(self, label: str, place: int = 0) -> Any:
        """A control by its name: a Playwright locator to fill, select, check, press or click."""
        return self.page.locator(".jp-OutputArea-output").get_by_label(label, exact=True).nth(place)

    def roles(self) -> list[str]:
        """Roles of what stands in the outputs: `alert` is a panel that complains."""
        found = self.page.locator(".jp-OutputArea-output [role]").all()
        return [element.get_attribute("role") for element in found]

    def choices(self) -> list[Any]:
        """Every list to choose from that is on the page: Playwright locators."""
        return [found for found in self.page.locator(".jp-OutputArea-output select").all() if found.is_visible()]

    def choose_another(self, control: Any) -> str:
        """Choose the next entry of a list, wait for the answer, and tell which; nothing where there is only one."""
        entries = control.locator("option").all_inner_texts()
        place = entries.index(control.locator("option:checked").inner_text())
        if len(entries) < 2 or not control.is_visible():
            return ""
        control.select_option(index=(place + 1) % len(entries))
        self.settle()
        return entries[(place + 1) % len(entries)]

    def tab_orders(self) -> list[tuple[list[str], list[str]]]:
        """Of each panel, names of its controls as they stand on the page, and as the Tab key reaches them."""
        found = []
        for panel in self.page.locator(".aiready-panel").all():
            stand = panel.evaluate(STOPS)
            reached = [self.page.evaluate("stopsNamed(document.activeElement)")] if stand else []
            for _ in stand[1:]:
                self.page.keyboard.press("Tab")
                reached.append(self.page.evaluate("stopsNamed(document.activeElement)"))
            found.append((stand, reached))
        return found

    def faintest(self) -> float:
        """Contrast of the faintest words of a panel with what lies behind them (WCAG asks for 4.5)."""
        return self.page.evaluate(FAINTEST)

    def button(self, words: str, place: int = 0) -> Any:
        """A button of a panel by its words."""
        return self.page.locator(".jp-OutputArea-output").get_by_role("button", name=words, exact=True).nth(place)

    def text(self) -> str:
        """Every word in the outputs."""
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())

    def save(self) -> None:
        """Save the notebook's file."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def kill_kernel(self) -> None:
        """Kill the kernel as the system would (SIGKILL), and wait until JupyterLab has put a new one in its place."""
        victim = int(self.value("__import__('os').getpid()"))
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(Exception):
                if int(self.value("__import__('os').getpid()")) != victim:
                    self.page.keyboard.press("Escape")  # JupyterLab says that the kernel was restarted
                    return
            time.sleep(0.5)
        raise TimeoutError("no new kernel after the old one was killed")

    def restart_kernel(self) -> None:
        """Restart the kernel: everything it held is gone."""
        self.page.evaluate(f"async () => {{ await {PANEL}.sessionContext.restartKernel(); }}")
        self.page.wait_for_function(f"{KERNEL}.status === 'idle'", timeout=1000 * START_SECONDS)

    def theme(self, name: str) -> None:
        """Choose `JupyterLab Light`, `JupyterLab Dark`, ..."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def screenshot(self, path: Path, *, whole: bool = False) -> Path:
        """A picture of the window; `whole`: of the notebook from top to end."""
        path.parent.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        if whole:
            height = self.page.evaluate(SCROLLED_UP)
            self.page.set_viewport_size({"width": size["width"], "height": min(int(height) + 120, 12000)})
            self.page.evaluate(SCROLLED_UP)
            self.settle()
        self.page.screenshot(path=path)
        self.page.set_viewport_size(size)
        return path

    def __enter__(self) -> "Notebook":
        self.load()
        return self

    def __exit__(self, *_: object) -> None:
        """Close the window; its kernel is told to stop, and stops while the next test goes on."""
        with suppress(Exception), self.page.expect_request(lambda request: request.method == "DELETE", timeout=5000):
            self.page.evaluate(f"() => {{ {PANEL}.sessionContext.shutdown(); }}")
        self.page.close()


@dataclass(frozen=True)
class Laboratory:
    """One JupyterLab server on copies.

    `notebooks` is its folder, `data` what `AIREADY_DATA` names, `memory` where results are kept.
    """

    address: str
    token: str
    notebooks: Path
    data: Path
    memory: Path

    def open(self, browser: Any, name: str, *, width: int = 1280, height: int = 800, copy: str = "") -> Notebook:
        """A notebook in a window of its own, for somebody of their own where another one is still open.

        `copy` names a fresh copy of it to open instead. What somebody opened before lies in their browser's cache.
        """
        if copy:
            shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", self.notebooks / f"{copy}.ipynb")
        context = next((known for known in browser.contexts if not known.pages), None) or browser.new_context()
        context.set_default_navigation_timeout(1000 * START_SECONDS)
        notebook = Notebook(self, context.new_page(), copy or name)
        notebook.page.set_viewport_size({"width": width, "height": height})

        def note(request: Any) -> None:
            if not request.url.startswith((self.address, "data:", "blob:")):
                notebook.refused.append(request.url)

        notebook.page.on("request", note)
        return notebook


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(address: str, token: str) -> bool:
    with suppress(URLError, OSError), urlopen(f"{address}/api/status?token={token}", timeout=2) as answered:
        return "started" in json.load(answered)
    return False


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """JupyterLab as `aiready lab` starts it, on copies of the notebooks and the sample, once per worker."""
    from aiready.profile.assessment import DATA
    from aiready.result_cache import FOLDER_VARIABLE
    from aiready.workbook.lab import command

    folder = tmp_path_factory.mktemp("laboratory")
    notebooks, data = folder / "notebooks", folder / "sample"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "data" / "sample", data)
    port, token = _free_port(), secrets.token_hex(16)
    own = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_TOKEN": token,
           "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "IPYTHONDIR": str(folder / "ipython"),
           DATA: str(data), FOLDER_VARIABLE: str(folder / "memory")}  # fmt: skip
    asked = [*command(notebooks), "--no-browser", f"--ServerApp.port={port}", "--LabApp.expose_app_in_browser=True"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(asked, env=os.environ | own, stdout=log, stderr=log, start_new_session=True)
    try:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        while not _answers(address, token):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"JupyterLab does not start: {(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield Laboratory(address, token, notebooks, data, folder / "memory")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One Chromium per test file: Playwright allows one of its kind at a time."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", OFFLINE])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def remembered(laboratory: Laboratory) -> Iterator[None]:
    """What `aiready lab` does before it opens: the data are read once, so that every notebook finds the results."""
    from aiready import Assessment
    from aiready.result_cache import FOLDER_VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(laboratory.memory))
        Assessment.recall(laboratory.data)
        yield
