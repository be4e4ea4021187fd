"""A chart in a panel: a widget that draws it with Vega in the browser, without the internet, and reports clicks."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import altair as alt
import anywidget
import traitlets

from aiready import result_cache
from aiready.atomic_files import sha256, write_file
from aiready.charts import theme
from aiready.charts.marks import layered_specification
from aiready.errors import InfrastructureError
from aiready.messages import ENGLISH, Language

SCRIPT = Path(__file__).with_name("picture.js")


class Picture(anywidget.AnyWidget):
    """A chart that can be replaced; `picked` is the name of the clicked row (if `rows`), `room` the width available."""

    spec = traitlets.Dict().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Bool().tag(sync=True)
    picked = traitlets.Unicode().tag(sync=True)
    room = traitlets.Int(0).tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_esm")
    def _script(self) -> str:
        return script()

    @traitlets.default("_css")
    def _style(self) -> str:
        return STYLE

    @property
    def width(self) -> int:
        """Width to draw in: the width available, between that of a phone and that of a page."""
        return min(max(self.room - 4, theme.NARROW), theme.WIDE) if self.room else theme.WIDE

    def show(
        self, chart: alt.TopLevelMixin | None, label: str, *, rows: bool = False, language: Language = ENGLISH
    ) -> None:
        """Replace the chart; None clears it."""
        spec: dict[str, Any] = layered_specification(chart, language) if chart is not None else {}
        with self.hold_sync():
            self.label = f"{label}. {spec.get('description', '')}" if spec else ""
            self.rows = rows
            self.spec = spec


def script() -> str:
    """`picture.js` bundled with Vega; the bundle is cached, since making it takes a second or two."""
    import vl_convert  # V8 starts with it: not at import

    source = SCRIPT.read_text(encoding="utf-8")
    digest = sha256(f"{version('vl-convert-python')}{source}")[:20]
    try:
        path = result_cache.cache_folder() / f"picture-{digest}.js"
        if not path.exists():
            write_file(path, vl_convert.javascript_bundle(source).encode())
        return path.read_text(encoding="utf-8")
    except (InfrastructureError, OSError):
        return str(vl_convert.javascript_bundle(source))


def _dark() -> str:
    """Style rules that replace a chart's colours if JupyterLab's theme is dark, as on the handout's page."""
    swaps = (
        f'[data-jp-theme-light="false"] .aiready-picture svg [{paint}="{light}" i]{{{paint}:{dark}}}'
        for light, dark in theme.DARK.items()
        for paint in ("fill", "stroke")
    )
    return "".join(swaps)


STYLE = ".aiready-picture{overflow-x:auto}.aiready-picture svg{display:block}" + _dark()
