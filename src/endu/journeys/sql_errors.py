"""What the engine says is wrong with a statement, as its author can use it.

The engine speaks of what it ran, and that is not what the author wrote: whatever a message tells of
our own tables, values and subqueries is cut, or the whole message is replaced.
"""

import re

# Behind these the engine describes the query that it ran.
_BEHIND = re.compile(
    r"(?:[.:,]? [Ii]n scope |[.:,]? ?[Ww]hile (?:executing|processing|converting)|: in query|"
    r": at row|\. In query|, expected one of| \(version |: When |[.,:] [Mm]aybe you meant|"
    r"[.,:;]? ?in block|: In )"
)
_HEAD = re.compile(r"\A(?:Code: \d+\. )?(?:DB::[A-Za-z]*Exception: )*(?:Received .*?: )?")
_NAME = re.compile(r"[ .]*\(([A-Z][A-Z0-9_]+)\)\.?\s*\Z")
_INTERNAL = re.compile(
    r"endu\.|`endu|__|dictGet|_CAST|\borg\b|organization|subject\b|/[A-Za-z]|fingerprint\b|DB::|owners|"
    r"PREWHERE|event_ids|event_names|transform\("
)
_OWN_NAME = re.compile(r"`([^`]*) `")  # as sql_writing writes them
_LONGEST = 300

_TEXT = "; what event_data has is text until it is read as more: event_data.price::Float64"

_BY_CODE = {
    36: "The engine cannot do this with these arguments",
    43: f"A function here is given a type that it does not take{_TEXT}",
    46: "There is no such function",
    47: "There is no such column; the columns of each view are in the documentation",
    53: f"Two types here do not go together{_TEXT}",
    62: "This cannot be written so",
    184: "An aggregate stands inside of another one, or in WHERE",
    215: "A column stands neither in GROUP BY nor inside of an aggregate",
    386: "These types have none in common; CAST one of them",
}
_OTHERWISE = "The engine cannot answer this"


def explained(code: int, message: str) -> str:
    """One sentence without a full stop, of which nothing is ours."""
    first = message.strip().splitlines()[0] if message.strip() else ""
    said = _NAME.sub("", _HEAD.sub("", first))
    kind = _NAME.search(first)
    cut = _BEHIND.search(said)
    said = _NAME.sub("", said[: cut.start()] if cut else said).strip(" .:")
    said = _OWN_NAME.sub(r"`\1`", said)
    if said and len(said) <= _LONGEST and not _INTERNAL.search(said):
        hint = _BY_CODE.get(code) if code in (43, 53, 386) else None
        return f"{said}. {hint}" if hint else said
    known = _BY_CODE.get(code)
    if known:
        return known
    return f"{_OTHERWISE} ({kind[1]})" if kind else _OTHERWISE
