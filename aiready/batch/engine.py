"""The papermill engine `aiready`: run a notebook's cells in this process, without a kernel.

Registered under `papermill.engine`, so `papermill --engine aiready in.ipynb out.ipynb` works too. Variables and
imported modules stay behind in the process, which is why the batch forks one for each notebook.
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
    """Collect what `display()` publishes as notebook outputs."""

    outputs: list[nbformat.NotebookNode]

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, *_: Any, **__: Any) -> None:
        self.outputs.append(_output("display_data", data=data, metadata=metadata or {}))


class _Hook(DisplayHook):
    """Collect the value of a cell's last expression as a notebook output."""

    outputs: list[nbformat.NotebookNode]

    def write_output_prompt(self) -> None:
        """Print nothing: there is no terminal."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        metadata, count = md_dict or {}, self.prompt_count
        self.outputs.append(_output("execute_result", data=format_dict, metadata=metadata, execution_count=count))

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Keep no log."""


class _Shell(InteractiveShell):
    displayhook: _Hook
    display_pub: _Publisher
    displayhook_class = _Hook
    display_pub_class = _Publisher

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no graphical event loop."""

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
    """An output of a cell; validated when the notebook is written, with all the others."""
    output: nbformat.NotebookNode = nbformat.from_dict({"output_type": kind, **content})
    return output


_NO_HISTORY = Config({"HistoryManager": {"enabled": False}, "HistoryAccessor": {"enabled": False}})
"""Without IPython's database of commands and the thread that writes it."""


class InProcessEngine(Engine):
    """Run the cells of a managed notebook in an IPython shell of this process."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, cell_number_file: Path | None = None, **_: Any
    ) -> None:
        """Run every code cell in order, and stop at the first that fails.

        Parameters
        ----------
        cell_number_file
            Holds the number of the running cell, so that a crash can be placed.
        """
        del kernel_name
        _Shell.clear_instance()
        shell = _Shell.instance(config=_NO_HISTORY)
        previous_hook = sys.displayhook
        try:
            for index, cell in enumerate(nb_man.nb.cells):
                if cell_number_file is not None:
                    cell_number_file.write_text(str(index + 1))
                if cell.cell_type == "code" and cell.source.strip() and not _run(shell, nb_man, cell, index):
                    break
        finally:
            sys.displayhook = previous_hook
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
