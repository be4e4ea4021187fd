"""The words that problem statements are judged by, in English, German and Spanish, as data beside this file."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

WORDS = Path(__file__).with_name("problem_words.csv")


@cache
def patterns() -> Mapping[str, str]:
    """One pattern per sign over all languages, of lower-case text.

    Signs: `placeholder` (means blank), `change` (a change for the better is named), `unit` (a metric says its unit),
    `model` (a model's figure), `body` (an owner is a body), `role` (an owner is a role).
    """
    rows = pd.read_csv(WORDS, keep_default_na=False)
    return {str(sign): f"(?:{'|'.join(found)})" for sign, found in rows.groupby("sign")["pattern"]}
