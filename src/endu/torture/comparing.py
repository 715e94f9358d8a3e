"""Asking a server everything, and comparing it with what the history says and with plain counts."""

from collections.abc import Sequence

from endu.torture import questions
from endu.torture.answers import Answers, NoAnswer
from endu.torture.check import Found
from endu.torture.people import whose
from endu.torture.questions import FUNNEL, RETENTION, Journeys, journeys_of
from endu.torture.report import Compared


async def everything(answers: Answers, beginning: str) -> Found:
    """Raises NoAnswer."""
    return Found(
        events=await answers.events(beginning),
        rules=await answers.rules(),
        event_types=await answers.event_types(),
        failed_events=await answers.failed_events(),
    )


async def compare_journeys(answers: Answers, found: Found) -> Compared:
    """Of everybody. Raises NoAnswer."""
    journeys = journeys_of(found.events, whose(found.events, found.rules))
    return Compared(
        timelines=await _timelines(answers, journeys),
        questions=[*await _funnel(answers, journeys), *await _retention(answers, journeys)],
    )


async def _timelines(answers: Answers, journeys: Journeys) -> list[str]:
    differ = []
    for person, journey in journeys.items():
        name = min(person)
        try:
            answered = await answers.timeline(name)
        except NoAnswer as problem:
            differ.append(str(problem))
            continue
        if answered != questions.timeline(journey):
            differ.append(f"{name}: {_difference(answered, questions.timeline(journey))}")
    return differ


async def _funnel(answers: Answers, journeys: Journeys) -> list[str]:
    answer = await answers.ask("funnel", FUNNEL)
    people = [step["people"] for step in answer["steps"]]
    plain = questions.funnel(journeys)
    return [] if people == plain else [f"funnel: {people} instead of {plain}"]


async def _retention(answers: Answers, journeys: Journeys) -> list[str]:
    answer = await answers.ask("retention", RETENTION)
    grid = [
        [cohort["people"], *(cell["people"] for cell in cohort["cells"])]
        for cohort in answer["cohorts"]
    ]
    plain = questions.retention(journeys)
    return [] if grid == plain else [f"retention: {grid} instead of {plain}"]


def _difference(answered: Sequence[int], plain: Sequence[int]) -> str:
    missing, more = set(plain) - set(answered), set(answered) - set(plain)
    if missing or more:
        return f"without {sorted(missing)[:5]}, with {sorted(more)[:5]}"
    return "in another order"
