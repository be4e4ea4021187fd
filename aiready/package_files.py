"""Where the files that come with the package lie: the instrument, the sample organisation, the notebooks."""

import shutil
from pathlib import Path

from aiready.errors import InfrastructureError, UsageError

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Path of something shipped: inside the installed package or, in a checkout, beside it.

    Parameters
    ----------
    name
        `data/instrument`, `data/sample`, `notebooks`, or a file in one of them.

    Raises
    ------
    InfrastructureError
        When it is in neither place: the installation is broken.

    Examples
    --------
    >>> shipped("data/instrument").joinpath("items.csv").exists()
    True
    """
    # `_shipped` is where pyproject.toml puts them in the wheel; a folder `shipped` would hide this module.
    places = (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name)
    for place in places:
        if place.exists():
            return place
    looked = " or ".join(str(place) for place in places)
    raise InfrastructureError(f'"{name}" is not installed: looked for {looked}. Install aiready again.')


def copy_sample(folder: Path) -> None:
    """Copy the sample organisation into a new or empty folder, or over an older copy of it.

    Raises
    ------
    UsageError
        When the folder holds something else: the sample never overwrites anybody's data.
    """
    files = sorted(shipped("data/sample").iterdir())
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _is_sample(folder))):
        raise UsageError(f'"{folder}" holds something other than the sample. Name a new or empty folder.')
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _is_sample(folder: Path) -> bool:
    """Whether a folder says of itself what the sample says of itself."""
    about = folder / "about.csv"
    return about.is_file() and about.read_bytes() == shipped("data/sample/about.csv").read_bytes()
