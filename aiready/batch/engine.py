"""The papermill engine `aiready`: runs a notebook's cells in this process, with no kernel to start.

Registered under `papermill.engine`, so `papermill --engine aiready in.ipynb out.ipynb` works too. One process
should run one notebook: variables and imported modules stay behind, which is why the batch forks for each.
"""

import io
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from papermill.engines import Engine
from traitlets.config import Config


class _Publisher(DisplayPublisher):
    """Keeps what `display()` publishes as notebook outputs."""

    outputs: list[nbformat.NotebookNode]

    def publish(self, data: dict, metadata: dict | None = None, *_: Any, **__: Any) -> None:
        self.outputs.append(_output("display_data", data=data, metadata=metadata or {}))


class _Hook(DisplayHook):
    """Keeps the value of a cell's last expression as a notebook output."""

    outputs: list[nbformat.NotebookNode]

    def write_output_prompt(self) -> None:
        """Print nothing: there is no terminal."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        metadata, count = md_dict or {}, self.prompt_count
        self.outputs.append(_output("execute_result", data=format_dict, metadata=metadata, execution_count=count))

    def log_output(self, format_dict: dict) -> None:
        """Keep no log."""


class _Shell(InteractiveShell):
    displayhook: _Hook
    display_pub: _Publisher
    displayhook_class = _Hook
    display_pub_class = _Publisher

    def enable_gui(self, gui: Any = None) -> None:
        """Know no graphical event loop."""

    def showtraceback(self, *_: Any, **__: Any) -> None:
        """Print nothing: the error becomes an output of its cell."""


@contextmanager
def _capturing(shell: _Shell) -> Iterator[list[nbformat.NotebookNode]]:
    outputs: list[nbformat.NotebookNode] = []
    shell.displayhook.outputs = shell.display_pub.outputs = outputs
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        yield outputs
    for name, stream in (("stdout", out), ("stderr", err)):
        if stream.getvalue():
            outputs.append(_output("stream", name=name, text=stream.getvalue()))


def _error(error: BaseException) -> nbformat.NotebookNode:
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return _output("error", ename=type(error).__name__, evalue=str(error), traceback=lines)


def _output(kind: str, **content: Any) -> nbformat.NotebookNode:
    """An output of a cell; proven with the whole notebook when that is written, not one by one."""
    return nbformat.from_dict({"output_type": kind, **content})


_NO_HISTORY = Config({"HistoryManager": {"enabled": False}, "HistoryAccessor": {"enabled": False}})
"""No database of what was run, nor a thread that writes it."""


class InProcessEngine(Engine):
    """Runs the cells of a managed notebook in an IPython shell of this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, place: Path | None = None, **_: Any) -> None:
        """Run every code cell in order, and stop at the first that fails.

        Parameters
        ----------
        place
            File that holds the number of the cell that runs, for whoever finds this process dead.
        """
        del kernel_name
        _Shell.clear_instance()
        shell = _Shell.instance(config=_NO_HISTORY)
        before = sys.displayhook
        try:
            for index, cell in enumerate(nb_man.nb.cells):
                if place is not None:
                    place.write_text(str(index + 1))
                if cell.cell_type == "code" and cell.source.strip() and not _run(shell, nb_man, cell, index):
                    break
        finally:
            sys.displayhook = before
            _Shell.clear_instance()


def _run(shell: _Shell, nb_man: Any, cell: nbformat.NotebookNode, index: int) -> bool:
    nb_man.cell_start(cell, index)
    with _capturing(shell) as outputs:
        result = shell.run_cell(cell.source, store_history=True)
    cell.execution_count = shell.execution_count - 1
    error = result.error_before_exec or result.error_in_exec
    if error is not None:
        outputs.append(_error(error))
        nb_man.cell_exception(cell, index, exception=error)
    cell.outputs = outputs
    nb_man.cell_complete(cell, index)
    return error is None
