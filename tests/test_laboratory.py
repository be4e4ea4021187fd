"""The laboratory itself: what goes wrong is seen, nothing leaves this machine, and kernels can be killed."""

import nbformat
import pytest

pytestmark = pytest.mark.slow


def test_what_goes_wrong_is_seen_and_a_killed_kernel_is_replaced_by_one_that_knows_nothing(laboratory, chromium):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("kept = 1"), nbformat.v4.new_code_cell("1 / 0")])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, laboratory.notebooks / "broken.ipynb")
    with laboratory.open(chromium, "broken") as notebook:
        notebook.run_all()
        assert any("ZeroDivisionError" in told for told in notebook.errors())
        assert notebook.refused == []
        assert (
            notebook.page.evaluate("fetch('https://example.org/').then(() => 'answered', () => 'no way')") == "no way"
        )
        notebook.settle()
        assert notebook.refused == ["https://example.org/"]
        assert notebook.value("kept") == "1"
        notebook.kill_kernel()
        assert notebook.value("'kept' in globals()") == "False"
