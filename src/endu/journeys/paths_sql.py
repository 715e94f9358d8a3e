"""Paths in SQL: from the events of each person to their sessions, their paths and the counts."""

from msgspec import Struct

from endu.journeys.about import anonymous_sql
from endu.journeys.draft import Draft
from endu.journeys.paths_items import Items, Kind

LINKS_AT_MOST = 10_000  # about 1 MB of JSON

# One number for each event, so that a person's take little room and are put in order at once: its
# second, its place in the log, its node. The bit above the node says that the event is the anchor.
TOLD = """bitShiftLeft(toUInt128(toUnixTimestamp(ts)), 96)
                   + bitShiftLeft(toUInt128(seq), 32)
                   + bitShiftLeft(toUInt32({anchor}), 31)
                   + {node} + 2"""
SECOND = "toUInt32(bitShiftRight(told, 96))"
MARK = "toUInt32(told)"
ANCHOR = 1 << 31

# Everybody's items, and beside them how many events they have. Paths that end before their depth
# end with a node that says so.
PEOPLE = """
  WITH arraySplit(
           (mark, pause) -> abs(pause) > {gap},
           arrayMap(told -> {mark}, story),
           arrayDifference(arrayMap(told -> {second}, story))
       ) AS sessions,
       arrayMap(
           session -> arraySlice(arrayPushBack({nodes}, 1), 1, {depth}), {begun}
       ) AS paths,
       arrayMap(
           path -> arrayMap(
               (node, nth) -> bitShiftLeft(to{type}(node), toUInt16({width} * ({depth} - nth))),
               path, arrayEnumerate(path)
           ), paths
       ) AS placed
SELECT person, events, anonymous,
       arrayConcat(
           arrayMap(path -> {sequence} + arraySum(path), placed),
           arrayMap(node -> {node} + node, arrayFlatten(placed)),
           arrayFlatten(arrayMap(
               path -> arrayMap(
                   (node, behind) -> {link} + node + behind, arrayPopBack(path), arrayPopFront(path)
               ), placed
           ))
       ) AS items
  FROM (
    SELECT {who} AS person, count() AS events, countIf({anonymous}) AS anonymous,
           {in_order}(groupArrayIf(
               {told}, person != 0
           )) AS story
      FROM endu.events
     WHERE {scan}
     GROUP BY person
  )
"""

# Where somebody has no items, there is one row for their events alone.
COUNTED = """
SELECT sum(of_events), sum(of_anonymous), sumIf(transitions, kind = {sequence}) AS paths,
       groupArraySortedIf({top})(entry, kind = {sequence}),
       groupArrayIf(entry, kind = {node}),
       groupArraySortedIf({links})(entry, kind = {link})
  FROM (
    SELECT item, toUInt8(bitShiftRight(item, {kind_at})) AS kind,
           count() AS transitions, countIf(nth = 1) AS people,
           sumIf(events, place < 2) AS of_events, sumIf(anonymous, place < 2) AS of_anonymous,
           (-toInt64(people), -toInt64(transitions), item) AS entry
      FROM ({people})
      LEFT ARRAY JOIN items AS item,
                      arrayEnumerateUniq(items) AS nth,
                      arrayEnumerate(items) AS place
     GROUP BY item
  )
"""

BEHIND = """
SELECT person
  FROM ({people})
 WHERE has(items, {item})
"""

PLATFORMS = """
SELECT DISTINCT platform
  FROM endu.events
 WHERE {scan}
"""


class PathsSql(Struct, frozen=True):
    """`scan` is what stands behind WHERE, `node` is the place of an event's node among the names of
    `items` behind the first. `anchor` is the condition that an event is the anchor, "" without
    one; `backwards`, paths lead to it."""

    draft: Draft
    scan: str
    items: Items
    node: str
    anchor: str
    backwards: bool
    gap_seconds: int
    collapse: bool

    def counted(self, top: int) -> str:
        """Answers one row: events, those that are anonymous, paths; then entries of sequences, at
        most `top`, of nodes, and of links. An entry is (-people, -transitions, item)."""
        return COUNTED.format(
            top=top,
            links=LINKS_AT_MOST,
            kind_at=self.items.kind_at,
            people=self._people(),
            **{kind.name.lower(): int(kind) for kind in Kind},
        )

    def behind(self, item: int) -> str:
        """Answers the people that an item counts."""
        bound = self.draft.values.add(item, self.items.sql_type)
        return BEHIND.format(people=self._people(), item=bound)

    def _people(self) -> str:
        items, add = self.items, self.draft.values.add
        session, begun = "session", "sessions"
        if self.anchor:
            is_anchor = f"mark -> mark >= {ANCHOR}"
            begun = f"arrayFilter(session -> arrayExists({is_anchor}, session), sessions)"
            session = f"arraySlice(session, arrayFirstIndex({is_anchor}, session))"
            session = f"arrayMap(mark -> bitAnd(mark, {ANCHOR - 1}), {session})"
        kinds = {kind.name.lower(): add(items.item(kind, {}), items.sql_type) for kind in Kind}
        return PEOPLE.format(
            who=self.draft.who,
            scan=self.scan,
            anonymous=anonymous_sql(self.draft),
            in_order="arrayReverseSort" if self.backwards else "arraySort",
            told=TOLD.format(anchor=self.anchor or "0", node=self.node),
            second=SECOND,
            mark=MARK,
            gap=add(self.gap_seconds, "UInt32"),
            nodes=f"arrayCompact({session})" if self.collapse else session,
            begun=begun,
            depth=items.depth,
            width=items.width,
            type=items.sql_type,
            **kinds,
        )
