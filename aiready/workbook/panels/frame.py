"""Frame of every panel: styles in light and dark, keyboard handling, messages, and a notice if the kernel is lost."""

from html import escape
from urllib.parse import quote

import anywidget
import ipywidgets as w
import traitlets

from aiready.charts.figures import NUMBER_COLUMNS_CSS

_STYLE = """
.aiready-panel { max-width: 760px; padding: 4px 0 14px; color: var(--jp-ui-font-color1); font-size: 14px;
  overflow: visible; }
.aiready-panel.aiready-form { max-width: 1120px; }
.aiready-panel :is(.widget-html, .jupyter-widgets) { max-width: 100%; }
.aiready-panel .widget-html { height: auto; }
.aiready-panel .widget-html-content { line-height: 1.45; overflow-wrap: anywhere; min-width: 0; }
.aiready-panel :is(h2, h3) { margin: 12px 0 2px; font-size: 16px; line-height: 1.35; border: 0; }
.aiready-panel p { margin: 4px 0; max-width: 72em; }
.aiready-panel .aiready-muted { color: var(--jp-ui-font-color2); font-size: 13px; }
.aiready-panel .widget-label { color: var(--jp-ui-font-color1); }
.aiready-panel .aiready-above { flex-direction: column; align-items: stretch; height: auto; }
.aiready-panel .aiready-above > .widget-label { width: auto; max-width: none; height: auto; min-height: 0;
  text-align: left; white-space: normal; line-height: 1.3; padding: 3px 0; }
.aiready-panel .aiready-above > :is(input, select, textarea) { flex: none; width: 100%; margin-left: 0; }
.aiready-panel .aiready-above > :is(input, select:not([multiple], [size])) { height: 30px; }
.aiready-panel .widget-radio-box { width: 100%; }
.aiready-panel .widget-radio-box > label { height: auto; line-height: 1.4; padding: 5px 4px; white-space: normal;
  display: flex; align-items: baseline; gap: 8px; border-radius: 3px; }
.aiready-panel .widget-radio-box > label > input { flex: none; order: -1; margin: 0; transform: translateY(5px); }
.aiready-panel .widget-radio-box > label:hover { background: var(--jp-layout-color2); }
.aiready-panel .aiready-answers .widget-radio-box > label:nth-last-child(2) { margin-top: 14px; }
.aiready-panel .jupyter-button { width: auto; align-self: flex-end; min-width: 90px; height: auto; min-height: 30px;
  padding: 3px 12px; white-space: normal; line-height: 1.3; color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2); border: 1px solid var(--jp-border-color1); }
.aiready-panel :is(.jupyter-button, input, select, textarea):disabled { opacity: .55; }
.aiready-panel .jupyter-button:is(.mod-primary, .mod-active) { background: #0a6a8f; border-color: #0a6a8f; color: #fff;
  box-shadow: none; }
.aiready-panel :is(button, input, select, textarea, summary, .scroll):focus-visible { outline: 2px solid #2f9bc4;
  outline-offset: 1px; }
.aiready-panel summary { cursor: pointer; color: var(--jp-ui-font-color2); padding: 4px 0; }
.aiready-message { border-left: 4px solid #0a6a8f; padding: 5px 10px; margin: 4px 0;
  background: var(--jp-layout-color2); }
.aiready-message.warning { border-color: #b4560b; } .aiready-message.error { border-color: #b3261e; }
.aiready-message:empty { display: none; }
.aiready-panel table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.aiready-form table { width: 100%; }
.aiready-panel caption { text-align: left; font-weight: 600; padding: 6px 0; color: var(--jp-ui-font-color1); }
.aiready-panel :is(th, td) { text-align: left; vertical-align: top; padding: 4px 10px 4px 0;
  border-bottom: 1px solid var(--jp-border-color2); background: none; color: var(--jp-ui-font-color1);
  white-space: normal; overflow-wrap: break-word; font-weight: normal; }
.aiready-panel :is(thead th, tr.chosen th) { font-weight: 600; }
.aiready-panel .number { text-align: right; white-space: nowrap; }
.aiready-panel tr.chosen :is(th, td) { background: var(--jp-layout-color3); }
.aiready-panel .scroll { overflow: auto; }
.aiready-panel .figures .scroll { max-height: 28em; }
.aiready-form .scroll > table { min-width: 860px; }
"""
"""Styles in JupyterLab's own colours, so that they fit light and dark themes."""
_ARROW = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'>"
    "<path fill='none' stroke='white' stroke-width='2' d='M5 7l4 4 4-4'/></svg>"
)
_DARK = (
    '[data-jp-theme-light="false"] .aiready-panel '
    f'{{ --jp-widgets-dropdown-arrow: url("data:image/svg+xml,{quote(_ARROW)}"); }}'
)
"""A light arrow for lists in dark themes; that of ipywidgets is always dark."""


class KernelWatch(anywidget.AnyWidget):
    """Hidden widget in every panel: keeps JupyterLab's shortcuts out of its controls, and shows `message` and disables
    the controls when the kernel is lost."""

    message = traitlets.Unicode().tag(sync=True)
    _esm = """
    const suppressShortcuts = event => {
      if (event.target.closest?.('.aiready-panel')) event.target.setAttribute('data-lm-suppress-shortcuts', 'true');
    };
    export default { render({ model, el }) {
      const page = el.ownerDocument;
      page.removeEventListener('focusin', window.aireadySuppressShortcuts);
      window.aireadySuppressShortcuts = suppressShortcuts;
      page.addEventListener('focusin', suppressShortcuts);
      el.style.display = 'none';
      const disablePanel = () => {
        const panel = el.closest('.aiready-panel');
        if (!panel || panel.querySelector(':scope > .aiready-kernel-lost')) return;
        for (const control of panel.querySelectorAll('input, select, textarea, button')) control.disabled = true;
        const notice = page.createElement('div');
        notice.className = 'aiready-message warning aiready-kernel-lost';
        notice.setAttribute('role', 'alert');
        notice.textContent = model.get('message');
        panel.prepend(notice);
      };
      model.on('comm_live_update', disablePanel);
      return () => model.off('comm_live_update', disablePanel);
    } };
    """


KERNEL_LOST = (
    "The kernel behind this panel is gone: it died, or was restarted or stopped. Run the notebook again (menu Run, "
    "Run All Cells) and go on: "
)
LOOKING, WRITING = "your choices are made anew.", "what you saved is saved, and what you had not saved yet is shown."
"""What is left when the kernel is lost: in panels that only show, and in those that save."""


def frame_panel(box: w.Box, *parts: w.Widget, left: str = LOOKING) -> None:
    """Make a box a panel of these parts, below each other; `left` says what is left when the kernel is lost."""
    style = w.HTML(f"<style>{_STYLE}{NUMBER_COLUMNS_CSS}{_DARK}</style>", layout=w.Layout(height="0", margin="0"))
    box.children = (style, KernelWatch(message=KERNEL_LOST + left), *parts)
    box.add_class("aiready-panel")


def message_html(text: str, kind: str = "note") -> str:
    """A message of a kind (note, warning or error) as HTML; blank text gives none."""
    return f'<div class="aiready-message {kind}">{escape(text)}</div>' if text else ""


def live_message_html(text: str, kind: str = "note") -> str:
    """A message as HTML that screen readers read out: an error at once, others when they pause."""
    role = 'role="alert"' if kind == "error" else 'role="status" aria-live="polite"'
    return f"<div {role}>{message_html(text, kind)}</div>" if text else ""
