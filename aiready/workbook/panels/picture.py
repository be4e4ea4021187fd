"""A chart in a panel: drawn by Vega in the browser, from this machine alone, and answering clicks."""

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import altair as alt
import anywidget
import traitlets

from aiready import result_cache
from aiready.atomic_files import write
from aiready.charts import theme
from aiready.charts.figures import specification
from aiready.charts.marks import written
from aiready.errors import InfrastructureError

SCRIPT = Path(__file__).with_name("picture.js")


class Picture(anywidget.AnyWidget):
    """A picture that changes in place; `picked` names the row clicked, where `rows` lets it, `room` is its width."""

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
        """Width to draw in: what there is room for, between a phone's and the page's."""
        return min(max(self.room - 4, theme.NARROW), theme.WIDE) if self.room else theme.WIDE

    def show(self, chart: alt.TopLevelMixin | None, label: str, *, rows: bool = False) -> None:
        """Draw a chart in the place of the one before; no chart clears it."""
        spec: dict[str, Any] = specification(written(chart)) if chart is not None else {}
        with self.hold_sync():
            self.label = f"{label}. {spec.get('description', '')}" if spec else ""
            self.rows = rows
            self.spec = spec


def script() -> str:
    """`picture.js` with Vega in it; bundled once and kept, since that takes a second or two."""
    import vl_convert  # V8 starts with it: not at import

    source = SCRIPT.read_text(encoding="utf-8")
    known = hashlib.sha256(f"{version('vl-convert-python')}{source}".encode()).hexdigest()[:20]
    try:
        kept = result_cache.folder() / f"picture-{known}.js"
        if not kept.exists():
            write(kept, vl_convert.javascript_bundle(source).encode())
        return kept.read_text(encoding="utf-8")
    except (InfrastructureError, OSError):
        return str(vl_convert.javascript_bundle(source))


def _dark() -> str:
    """Rules that turn a picture's colours round where JupyterLab's theme is dark, as the handout's page does."""
    swaps = (
        f'[data-jp-theme-light="false"] .aiready-picture svg [{paint}="{light}" i]{{{paint}:{dark}}}'
        for light, dark in theme.DARK.items()
        for paint in ("fill", "stroke")
    )
    return "".join(swaps)


STYLE = ".aiready-picture{overflow-x:auto}.aiready-picture svg{display:block}" + _dark()
