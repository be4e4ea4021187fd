"""JupyterLab on the workbook: on this machine only, with its token, and nothing asked of the internet."""

import sys
from pathlib import Path

from aiready.pdf import superuser

START = "00_start_here.ipynb"
SETTINGS = Path(__file__).parent / "lab_settings"
"""JupyterLab's settings as the workbook changes them; what a person sets for themselves stands above."""


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
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{START}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--ServerApp.allow_root={superuser()}",  # who is root runs every other command as root too
    ]
