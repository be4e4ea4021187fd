"""Load the word patterns that problem statements are assessed by (`problem_words.csv`; English, German, Spanish)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from aiready.package_files import read_records

WORDS = Path(__file__).with_name("problem_words.csv")


@cache
def patterns() -> Mapping[str, str]:
    """One regular expression per feature over all languages, for lower-case text.

    Features: `placeholder` (text that means blank), `change` (an improvement is named), `unit` (a metric states its
    unit), `model` (a metric of a model), `body` (an owner is a body), `role` (an owner is a role).
    """
    rows = pd.DataFrame(read_records(WORDS))
    return {str(feature): f"(?:{'|'.join(alternatives)})" for feature, alternatives in rows.groupby("sign")["pattern"]}
