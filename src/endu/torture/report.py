"""What a run found, and what of it must be nothing."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct, field

from endu.torture.check import Findings
from endu.torture.flips import Flipped
from endu.torture.keeper import Keeper
from endu.torture.plan import Plan

NAMED_AT_MOST = 20


class Row(Struct, frozen=True):
    """One line of the table. `must_be_none`: anything but 0 is a broken promise."""

    what: str
    count: int
    must_be_none: bool
    which: list[str]  # the first of them


class Report(Struct, frozen=True, kw_only=True):
    """All of it. `kills` counts by kind, `came_to` by step of settling; `notices` say what this
    machine did not allow; `history` is the file."""

    plan: Plan
    seconds: float
    kills: dict[str, int]
    came_to: dict[str, int]
    power_cuts: int
    flips: dict[str, int]
    starts: int
    slowest_start_seconds: float
    notices: list[str]
    rows: list[Row]
    history: str
    passed: bool


class Compared(Struct):
    """Answers that are not what they are recomputed to be."""

    timelines: list[str] = []
    questions: list[str] = []


class Seen(Struct):
    """What was done and found so far. `broken` are sentences: what Endu did not do that it should
    have. `odd` are answers that no request should get."""

    kills: Counter[str] = field(default_factory=Counter)
    came_to: Counter[str] = field(default_factory=Counter)
    power_cuts: int = 0
    flips: list[Flipped] = []
    notices: list[str] = []
    broken: list[str] = []
    odd: list[str] = []
    damage: list[str] = []
    findings: Findings = field(default_factory=Findings)
    compared: Compared = field(default_factory=Compared)


def report_of(plan: Plan, seen: Seen, keeper: Keeper, history: str, seconds: float) -> Report:
    rows = rows_of(seen)
    return Report(
        plan=plan,
        seconds=seconds,
        kills=dict(seen.kills),
        came_to=dict(seen.came_to),
        power_cuts=seen.power_cuts,
        flips=dict(Counter(f"{flip.area}, {flip.verdict}" for flip in seen.flips)),
        starts=keeper.starts,
        slowest_start_seconds=keeper.slowest_start_seconds,
        notices=seen.notices,
        rows=rows,
        history=history,
        passed=not any(row.count for row in rows if row.must_be_none),
    )


def rows_of(seen: Seen) -> list[Row]:
    findings, flips = seen.findings, seen.flips
    counts = [
        Row("acknowledged", findings.acknowledged, False, []),
        Row("stored", findings.stored, False, []),
        Row("refused", findings.refused, False, []),
        Row("unknown", findings.unknown, False, []),
        Row("unknown, stored", findings.unknown_stored, False, []),
    ]
    flipped = Counter(flip.verdict for flip in flips)
    counts += [
        Row("flips named by verify", flipped["named"], False, []),
        Row("flips that are harmless", flipped["harmless"], False, []),
        Row("flips that the next start heals", flipped["healed"], False, []),
    ]
    must_be_none = {
        "lost": findings.lost,
        "duplicated": findings.duplicated,
        "altered": findings.altered,
        "refused but stored": findings.refused_but_stored,
        "refused and not kept as failed": findings.refused_and_lost,
        "never sent": findings.never_sent,
        "order breaks": findings.order_breaks,
        "silent flips": _told(flips, "silent"),
        "flips that verify broke off at": _told(flips, "unnamed"),
        "flips that a rebuild did not heal": [_where(f) for f in flips if f.rebuilt is False],
        "damage at the end": seen.damage,
        "timelines that differ": seen.compared.timelines,
        "funnel and retention that differ": seen.compared.questions,
        "answers of no documented kind": seen.odd,
        "other promises broken": seen.broken,
    }
    return counts + [
        Row(what, len(which), True, which[:NAMED_AT_MOST]) for what, which in must_be_none.items()
    ]


def _told(flips: Sequence[Flipped], verdict: str) -> list[str]:
    return [f"{_where(flip)}: {flip.said}" for flip in flips if flip.verdict == verdict]


def _where(flip: Flipped) -> str:
    return f"{flip.file}, byte {flip.offset} ^ {flip.mask}"
