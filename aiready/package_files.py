"""Find the files that come with the package: the instrument, the sample organisation, the notebooks."""

import shutil
from pathlib import Path

from aiready.errors import InfrastructureError, UsageError

_PACKAGE = Path(__file__).parent


def package_file(name: str) -> Path:
    """Path of a file or folder that comes with the package: inside it when installed, beside it in a checkout.

    Parameters
    ----------
    name
        `data/instrument`, `data/sample`, `notebooks`, or a file in one of them.

    Raises
    ------
    InfrastructureError
        It is in neither: the installation is broken.

    Examples
    --------
    >>> package_file("data/instrument").joinpath("items.csv").exists()
    True
    """
    # `_shipped` is where pyproject.toml puts them in the wheel.
    candidates = (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    searched = " or ".join(str(candidate) for candidate in candidates)
    raise InfrastructureError(f'"{name}" is not installed: looked for {searched}. Install aiready again.')


def copy_sample(folder: Path) -> None:
    """Copy the sample organisation into a new or empty folder, or over an older copy of it.

    Raises
    ------
    UsageError
        The folder holds something else: the sample never overwrites anybody's data.
    """
    files = sorted(package_file("data/sample").iterdir())
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _is_sample(folder))):
        raise UsageError(f'"{folder}" holds something other than the sample. Name a new or empty folder.')
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _is_sample(folder: Path) -> bool:
    """Whether a folder has the sample's `about.csv`."""
    about = folder / "about.csv"
    return about.is_file() and about.read_bytes() == package_file("data/sample/about.csv").read_bytes()
