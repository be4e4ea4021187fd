"""Sentences on exploration and evolution: what was learned from trials, and which generations of AI are tried."""

from aiready.profile.assessment import Assessment

GENERATIONS = ("rules", "machine_learning", "generative")


def evolution_heading(unit: Assessment) -> str:
    """From how many trials it is on record what was learned."""
    say, cell = unit.language.say, unit.cell("learning_recorded")
    if not cell.ok:
        return say("evolution.no_trials")
    learned = round(cell.value * cell.n)
    if cell.n == 1:
        return say("evolution.learned_from_one" if learned else "evolution.unlearned_from_one")
    return unit.language.capitalize(say("evolution.learned", learned, total=int(cell.n)))


def generations_sentence(unit: Assessment) -> str:
    """How many initiatives there are of each generation; empty where none is recorded."""
    say, total = unit.language.say, unit.cell("initiatives_count")
    counts = {name: unit.cell("initiatives_count", name) for name in GENERATIONS}
    recorded = {name: int(cell.value) for name, cell in counts.items() if cell.ok}
    if not recorded:
        return ""
    unknown = int(total.value) - sum(recorded.values())
    counted = recorded | ({"unknown": unknown} if unknown else {})
    parts = unit.language.join_names(say(f"evolution.{name}", number) for name, number in counted.items())
    initiatives = unit.language.capitalize(say("initiatives.on_record", total.value))
    return say("evolution.generations", initiatives=initiatives, parts=parts)
