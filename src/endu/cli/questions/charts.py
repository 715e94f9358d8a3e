"""Small charts of text: bars, lines, shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

BLOCKS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"
BAR_WIDTH = 20

_FORMS = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m"}

# From the least share to the largest, where a terminal has colours.
SHADES = ("on grey11", "on #10331f", "on #145a32", "on #1d7f45", "on #27a35a")


def bar(share: float | None, width: int = BAR_WIDTH) -> str:
    """As long as the share, to an eighth of a character."""
    eighths = round((share or 0.0) * width * 8)
    whole, rest = divmod(min(max(eighths, 0), width * 8), 8)
    return "█" * whole + (BLOCKS[rest] if rest else "")


def line(values: Sequence[float | None]) -> str:
    """One character each, from the smallest to the largest; a blank where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(0.0, *known), max(known)
    span = (high - low) or 1.0
    top = len(LEVELS) - 1
    return "".join(
        " " if value is None else LEVELS[round((value - low) / span * top)] for value in values
    )


def percent(share: float | None, digits: int = 0) -> str:
    return "" if share is None else f"{share:.{digits}%}"


def shaded(share: float | None, complete: bool, width: int) -> Text:
    """A cell of a grid: what is not over yet has a star."""
    if share is None:
        return Text(" " * width)
    text = f"{share:.0%}{' ' if complete else '*'}".rjust(width)
    if not complete:
        return Text(text, "dim")
    return Text(text, SHADES[min(int(share * len(SHADES)), len(SHADES) - 1)])


def when(at: str, interval: str, timezone: str) -> str:
    """The beginning of an hour, a day, a week or a month, by the clocks of the zone."""
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(timezone))
    return local.strftime(_FORMS[interval])


def number(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def duration(seconds: float | None) -> str:
    """In its largest unit: 1.2 d."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def rows_of(rows: Sequence[dict[str, str]], named: str) -> Table:
    """Narrow columns of numbers and bars, beside the one that names each row and may be folded."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in rows[0] if rows else ():
        if head == named:
            drawn.add_column(Text(head), overflow="fold")
        else:
            numeric = not any(row[head].startswith(tuple(BLOCKS[1:])) for row in rows)
            drawn.add_column(Text(head), justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row.values()))
    return drawn


def about(answer: dict[str, Any]) -> Text:
    """One line of what stands beside every answer."""
    said = answer["about"]
    parts = [f"{said['from'][:10]} to {said['to'][:10]}" if "from" in said else ""]
    parts.append(f"{said['rows_read']:,} rows in {said['elapsed_ms']:,} ms")
    for name in ("anonymous", "contested"):
        share = said.get(f"{name}_share")
        if share:
            parts.append(f"{share:.1%} {name}")
    return Text(" · ".join(part for part in parts if part), "dim")
