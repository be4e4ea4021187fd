"""Segments: how units are cut into groups of people, such as roles, and which segment each is a part of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.instrument.model import Settings
from aiready.model.registry import ALL

DOING, LEADING, NO_ROLE = "doing", "leading", "no role"
SIDES = (DOING, LEADING)


@dataclass(frozen=True)
class Segments:
    """How units are cut.

    `names`: of all segments. `within`: for each way of cutting, the next wider segment of each. `finest`: for each
    finest segment all segments that contain it.
    """

    names: Sequence[str]
    within: Mapping[str, Mapping[str, str]]
    finest: Mapping[str, Sequence[str]]


def flat_segments(names: Sequence[str], way: str = "segment") -> Segments:
    """Segments that together make up `all`."""
    parts = [name for name in names if name != ALL]
    return Segments([ALL, *parts], {way: dict.fromkeys(parts, ALL)}, {name: (name, ALL) for name in parts})


def role_segments(roles: Sequence[str], settings: Settings, used: pd.Series) -> Segments:
    """`all`, the sides that some of the roles are on, the roles, and the other finest segments in use."""
    side_of = segment_of_role(settings)
    sides = [side for side in SIDES if side in {side_of.get(role) for role in roles}]
    finest = [*roles, *(segment for segment in sorted(set(used)) if segment not in roles)]
    wider = {role: side_of.get(role, ALL) for role in finest} | dict.fromkeys(sides, ALL)
    containing = {role: tuple(dict.fromkeys((role, wider[role], ALL))) for role in finest}
    return Segments([ALL, *sides, *finest], {"segment": wider}, containing)


def segment_of_role(settings: Settings) -> Mapping[str, str]:
    """Doing or leading, by role; other roles are not in it."""
    return dict.fromkeys(settings.roles_doing, DOING) | dict.fromkeys(settings.roles_leading, LEADING)
