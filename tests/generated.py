"""How many cases a test tries in a run: of those that Hypothesis makes up, and of cases in several variants.

    @examples(40)
    @given(st.integers())
    def test_it_holds(number): ...

`pytest --hypothesis-profile=quick` tries a fifth of them, `large` ten times as many.
"""

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from hypothesis import settings

NORMAL = 100
"""Cases that the profile `normal` has for a test that says nothing."""
PROFILES = {"quick": NORMAL // 5, "normal": NORMAL, "large": NORMAL * 10}
FEWEST = 3


def register() -> None:
    """Make the profiles known; `normal` holds where no other is asked for."""
    for name, cases in PROFILES.items():
        settings.register_profile(name, max_examples=cases)
    settings.load_profile("normal")


def examples(cases: int, **others: Any) -> settings:
    """Settings of one test: so many cases in a normal run, of any duration."""
    share = settings.default.max_examples / NORMAL
    return settings(max_examples=max(min(cases, FEWEST), round(cases * share)), deadline=None, **others)


def by_turns(cases: Collection[Any], variants: Collection[Any]) -> Iterator[Any]:
    """Parameters: each case in one variant by turns, and on acceptance in the others too."""
    for at, case in enumerate(cases):
        for turn, variant in enumerate(variants):
            marks = () if at % len(variants) == turn else pytest.mark.acceptance
            yield pytest.param(*(case if isinstance(case, tuple) else [case]), variant, marks=marks)
