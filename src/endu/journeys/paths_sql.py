"""Paths in SQL: from the events of each person to their sessions, their paths and the counts."""

from msgspec import Struct

from endu.journeys.about import anonymous_sql, contested_sql
from endu.journeys.draft import Draft
from endu.journeys.paths_items import Items, Kind

LINKS_AT_MOST = 10_000  # about 1 MB of JSON

# One number for each event, so that a person's take little room and are put in order at once: its
# second, its place in the log, its node. The bit above the node says that the event is the anchor.
TOLD = """bitShiftLeft(toUInt128(toUnixTimestamp(ts)), 96)
                   + bitShiftLeft(toUInt128(seq), 32)
                   + ({node})"""
SECOND = "toUInt32(bitShiftRight(told, 96))"
MARK = "toUInt32(told)"
ANCHOR = 1 << 31

SEQUENCES = "arrayMap(path -> {sequence} + arraySum(path), placed)"
NO_SEQUENCES = "[]"

# Everybody's items. Paths that are over before their depth end with a node that says so.
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
SELECT person,
       arrayConcat(
           [{events} + events, {anonymous} + anonymous, {contested} + contested],
           {sequences},
           arrayMap(node -> {node} + node, arrayFlatten(placed)),
           arrayFlatten(arrayMap(
               path -> arrayMap(
                   (node, behind) -> {link} + node + behind, arrayPopBack(path), arrayPopFront(path)
               ), placed
           ))
       ) AS items
  FROM (
    SELECT {who} AS person, count() AS events, countIf({is_anonymous}) AS anonymous,
           countIf({is_contested}) AS contested,
           {in_order}(groupArrayIf(
               {told}, person != 0
           )) AS story
      FROM endu.events
     WHERE {scan}
     GROUP BY person
  )
"""

COUNTED = """
SELECT sumIf(transitions * bitAnd(item, {counts}), kind = {events}),
       sumIf(transitions * bitAnd(item, {counts}), kind = {anonymous}),
       sumIf(transitions * bitAnd(item, {counts}), kind = {contested}),
       sumIf(transitions, kind = {sequence}),
       groupArraySortedIf({top})(entry, kind = {sequence}),
       groupArrayIf(entry, kind = {node}),
       groupArraySortedIf({links})(entry, kind = {link})
  FROM (
    SELECT item, toUInt8(bitShiftRight(item, {kind_at})) AS kind,
           count() AS transitions, countIf(nth = 1) AS people,
           (-toInt64(people), -toInt64(transitions), item) AS entry
      FROM ({people})
     ARRAY JOIN items AS item, arrayEnumerateUniq(items) AS nth
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
    """`scan` is what stands behind WHERE, `node` the number of an event's node in `items`, `anchor`
    the condition that an event is the anchor, "" without one; `backwards`, paths lead to it."""

    draft: Draft
    scan: str
    items: Items
    node: str
    anchor: str
    backwards: bool
    gap_seconds: int
    collapse: bool

    def counted(self, top: int) -> str:
        """Answers one row: the columns of Counted, paths; then entries of sequences, at most
        `top`, of nodes, and of links. An entry is (-people, -transitions, item). Without any
        sequences neither these nor paths are counted."""
        return COUNTED.format(
            top=max(top, 1),
            links=LINKS_AT_MOST,
            kind_at=self.items.kind_at,
            counts=(1 << 32) - 1,
            people=self._people(SEQUENCES if top else NO_SEQUENCES),
            **{kind.name.lower(): int(kind) for kind in Kind},
        )

    def behind(self, item: int) -> str:
        """Answers the people that an item counts."""
        bound = self.draft.values.add(item, self.items.sql_type)
        return BEHIND.format(people=self._people(SEQUENCES), item=bound)

    def _people(self, sequences: str) -> str:
        items, add = self.items, self.draft.values.add
        session, begun, node = "session", "sessions", self.node
        if self.anchor:
            node += f" + {ANCHOR} * {self.anchor}"
            is_anchor = f"mark -> mark >= {ANCHOR}"
            begun = f"arrayFilter(session -> arrayExists({is_anchor}, session), sessions)"
            session = f"arraySlice(session, arrayFirstIndex({is_anchor}, session))"
            session = f"arrayMap(mark -> bitAnd(mark, {ANCHOR - 1}), {session})"
        kinds = {kind.name.lower(): add(items.item(kind, {}), items.sql_type) for kind in Kind}
        return PEOPLE.format(
            who=self.draft.who,
            scan=self.scan,
            is_anonymous=anonymous_sql(self.draft),
            is_contested=contested_sql("person"),
            in_order="arrayReverseSort" if self.backwards else "arraySort",
            told=TOLD.format(node=node),
            second=SECOND,
            mark=MARK,
            gap=add(self.gap_seconds, "UInt32"),
            nodes=f"arrayCompact({session})" if self.collapse else session,
            begun=begun,
            depth=items.depth,
            width=items.width,
            type=items.sql_type,
            sequences=sequences.format(**kinds),
            **kinds,
        )
