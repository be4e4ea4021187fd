"""JupyterLab on the workbook: on this machine only, with its token, and nothing asked of the internet."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from aiready.batch.child_process import SAFE, python
from aiready.pages.pdf import superuser

START = "00_start_here.ipynb"
SETTINGS = Path(__file__).parent / "lab_settings"
"""JupyterLab's settings as the workbook changes them; what a person sets for themselves stands above.

JupyterLab is called from this folder too: nothing lies in it that a program of Jupyter's would read or run.
"""


def command(folder: Path) -> list[str]:
    """The command that opens JupyterLab on a folder of notebooks.

    It listens on 127.0.0.1 and keeps the token that Jupyter makes for every start; it looks for no news, no
    updates and no extensions.

    Examples
    --------
    >>> "--ServerApp.ip=127.0.0.1" in command(Path("notebooks"))
    True
    """
    return [
        *python("-m", "jupyterlab"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{START}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.allow_root={superuser()}",  # who is root runs every other command as root too
    ]


def start(folder: Path, environment: Mapping[str, str]) -> NoReturn:
    """Become JupyterLab, which takes signals its own way; where a process cannot, run it and end as it ends.

    Neither it nor a kernel it starts imports what lies in the folder that this one was called from, nor reads
    settings or language servers there.
    """
    asked, around = command(folder), os.environ | dict(environment) | SAFE
    sys.stdout.flush()
    if os.name == "posix":
        os.chdir(SETTINGS)
        os.execve(asked[0], asked, around)
    sys.exit(subprocess.run(asked, cwd=SETTINGS, env=around, check=False).returncode)
