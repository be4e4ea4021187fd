"""Where the files that come with the package lie: the instrument, the sample organisation, the notebooks."""

from pathlib import Path

from aiready.errors import InfrastructureError

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
