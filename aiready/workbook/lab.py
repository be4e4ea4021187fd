"""Start JupyterLab on the notebooks: on this machine only, with its token, without requests to the internet."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from aiready.batch.page_process import SAFE_PATH
from aiready.pages.pdf import is_superuser

START = "00_start_here.ipynb"
SETTINGS = Path(__file__).parent / "lab_settings"
"""The workbook's defaults for JupyterLab's settings; a user's own settings override them.

JupyterLab is also started in this folder: it holds nothing that Jupyter would import or run.
"""


def command(folder: Path) -> list[str]:
    """The command that opens JupyterLab on a folder of notebooks.

    It listens on 127.0.0.1, keeps the token that Jupyter makes for every start, and does not look for news, updates
    or extensions.

    Examples
    --------
    >>> "--ServerApp.ip=127.0.0.1" in command(Path("notebooks"))
    True
    """
    return [
        *(sys.executable, "-P", "-m", "jupyterlab"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{START}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.allow_root={is_superuser()}",  # who is root runs every other command as root too
    ]


def start(folder: Path, environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by JupyterLab, which handles signals itself; on Windows run it and exit with its code.

    Neither JupyterLab nor its kernels import modules from the folder that this process was started in, nor read
    settings or language servers there.
    """
    arguments, variables = command(folder), os.environ | dict(environment) | SAFE_PATH
    sys.stdout.flush()
    if os.name == "posix":
        os.chdir(SETTINGS)
        os.execve(arguments[0], arguments, variables)
    sys.exit(subprocess.run(arguments, cwd=SETTINGS, env=variables, check=False).returncode)
