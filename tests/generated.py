"""How many cases Hypothesis makes up for a test: its own number, times what the profile of the run asks for.

    @examples(40)
    @given(st.integers())
    def test_it_holds(number): ...

`pytest --hypothesis-profile=quick` tries a fifth of them, `large` ten times as many.
"""

from typing import Any

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
