"""A run of the batch in a process of its own, for the tests that kill it.

    python tests/batch_driver.py RESULTS NOTEBOOK OUT [--force]

Results are read, not computed, and every page is made by the notebook given.
"""

import signal
import sys
from pathlib import Path

from aiready import Assessment
from aiready.batch import report_run
from aiready.batch.runner import PageRunner
from aiready.batch.schedule import RunOptions


def main() -> int:
    results, notebook, out, *flags = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report_run._notebook = lambda _: Path(notebook)
    assessment = Assessment.open(results=results)
    options = RunOptions(jobs=2, force="--force" in flags)
    with PageRunner(2) as press:
        request = report_run.ReportRequest(
            "", Path(out), tuple(assessment.units["unit_id"]), options, submit=press.submit
        )
        return 1 if report_run.run_report(assessment, request).failed else 0


if __name__ == "__main__":
    sys.exit(main())
