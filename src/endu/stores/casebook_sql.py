"""The casebook's statements. Rows go in and come out as one text each (see `sqlite_texts`)."""

from endu.stores.sqlite_rows import LINK, LINKS_OF, NODE, NODES
from endu.stores.sqlite_texts import as_json


def _nodes(select: str) -> str:
    return as_json(NODE.replace("i.", ""), select)


def _links(select: str) -> str:
    against = "iif(against_a IS NULL, NULL, json_array(against_a, against_b))"
    return as_json(f"a, b, proof, claimed_at_ms, first_seq, verdict, reason, {against}", select)


def _values(select: str) -> str:
    return f"SELECT json_group_array(value) FROM (SELECT DISTINCT {select})"


NODES_OF = _nodes(NODES)

FIND = _nodes(f"""
SELECT {NODE} FROM json_each(?) AS named
CROSS JOIN identifiers AS i
  ON i.organization_id = ? AND i.kind = named.value ->> 0 AND i.value = named.value ->> 1
""")

# A number is its identifier's own subject, or was brought by a caller for one of its own kind.
BEARING = _nodes(f"""
SELECT {NODE} FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.subject = CAST(named.value AS INTEGER) AND i.number = named.value
WHERE i.organization_id = :organization_id
UNION
SELECT {NODE} FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.organization_id = :organization_id AND i.kind = 'c_user_id' AND i.value = named.value
""")

CLUSTERS = _nodes(f"""
SELECT {NODE} FROM json_each(?1) AS asked
CROSS JOIN identifiers AS i ON i.subject = asked.value AND i.cluster = asked.value
UNION ALL
SELECT {NODE} FROM json_each(?1) AS asked
CROSS JOIN identifiers AS i ON i.cluster = asked.value AND i.cluster <> i.subject
""")

OF_IDENTITY = "(SELECT identity FROM identifiers WHERE subject = :subject)"

MEMBERS_OF = _nodes(f"""
SELECT {NODE} FROM identifiers AS i WHERE i.subject = {OF_IDENTITY}
UNION ALL
SELECT {NODE} FROM identifiers AS i
WHERE i.identity = {OF_IDENTITY} AND i.identity <> i.subject
""")

ALL_CLUSTERS = _values("""
cluster AS value FROM identifiers
WHERE cluster <> subject AND organization_id = ? ORDER BY cluster
""")

ALL_LINKS_OF = _links(LINKS_OF)

COUNTING_LINKS_OF = _links(f"""
SELECT * FROM ({LINKS_OF}) WHERE verdict IN ('accepted', 'refused')
""")

LINKS_BETWEEN = _links(f"""
SELECT {LINK} FROM json_each(?) AS asked
CROSS JOIN links AS l ON l.a = asked.value ->> 0 AND l.b = asked.value ->> 1
""")

CLUSTERS_BESIDE = _values(f"""
i.cluster AS value FROM ({LINKS_OF}) AS l
CROSS JOIN identifiers AS i ON i.subject IN (l.a, l.b)
""")

# As the fields of a Node, one after the other.
PUT_NODES = """
INSERT INTO identifiers (subject, organization_id, kind, value, number, asserted, standing,
                         first_at_ms, cluster, identity)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
       value ->> 7, value ->> 8, value ->> 9
  FROM json_each(?) WHERE true
ON CONFLICT (subject) DO UPDATE SET
  asserted = excluded.asserted, standing = excluded.standing,
  first_at_ms = excluded.first_at_ms, cluster = excluded.cluster, identity = excluded.identity
"""

# As the fields of a Link.
PUT_LINKS = """
INSERT INTO links (a, b, organization_id, proof, claimed_at_ms, first_seq, verdict, reason,
                   against_a, against_b)
SELECT value ->> 0, value ->> 1, ?2, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
       value ->> 6, value ->> '$[7][0]', value ->> '$[7][1]'
  FROM json_each(?1) WHERE true
ON CONFLICT (a, b) DO UPDATE SET
  proof = excluded.proof, claimed_at_ms = excluded.claimed_at_ms,
  first_seq = excluded.first_seq, verdict = excluded.verdict, reason = excluded.reason,
  against_a = excluded.against_a, against_b = excluded.against_b
"""

# As the fields of a Seen.
PUT_SEEN = """
INSERT INTO sightings (fingerprint, subject, before, first_at_ms, first_seq)
SELECT value ->> 0, value ->> 1, value -> 2, value ->> 3, value ->> 4
  FROM json_each(?) WHERE true
ON CONFLICT (fingerprint, subject, before) DO UPDATE SET
  first_at_ms = excluded.first_at_ms, first_seq = excluded.first_seq
WHERE (excluded.first_at_ms, excluded.first_seq) < (first_at_ms, first_seq)
"""

# Subject and identity; the first of them gets the next version.
PUT_OWNERS = """
INSERT INTO owners (subject, identity, version)
SELECT value ->> 0, value ->> 1, key + 1 + (SELECT coalesce(max(version), 0) FROM owners)
  FROM json_each(?) WHERE true
ON CONFLICT (subject) DO UPDATE SET identity = excluded.identity, version = excluded.version
"""

# As the columns are named; `detail` is a text here.
PUT_JOURNAL = """
INSERT INTO journal (organization_id, seq, at_ms, change, subject, detail, mark)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(?)
"""

FINGERPRINTS_SEEN_WITH = _values("""
s.fingerprint AS value FROM json_each(?) AS asked
CROSS JOIN sightings AS s ON s.subject = asked.value
""")

# A creation that tied them shows in their links; one that found them has their identity's number.
CREATED_WITH = _values("""
i.subject AS value FROM json_each(?) AS asked
CROSS JOIN identifiers AS i ON i.subject = asked.value
CROSS JOIN identifiers AS named ON named.subject = i.identity
WHERE EXISTS (
  SELECT 1 FROM creations AS c
  WHERE c.organization_id = i.organization_id AND c.number = named.number
) OR EXISTS (
  SELECT 1 FROM links AS l JOIN creations AS c ON c.seq = l.first_seq
  WHERE l.a = i.subject OR l.b = i.subject
)
""")

# One that tied anybody has links of its place: that conflict came afterwards.
CONFLICTS_OF = _values("""
c.seq AS value FROM creations AS c
WHERE c.organization_id = ? AND EXISTS (
  SELECT 1 FROM json_each(?) AS named, json_each(c.conflict) AS one WHERE one.value = named.value
) AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.first_seq = c.seq)
""")

SEEN_FIRST_AT = """
SELECT s.fingerprint, s.subject, s.before, s.first_at_ms, s.first_seq FROM json_each(?) AS asked
CROSS JOIN sightings AS s ON s.fingerprint = asked.value
WHERE s.first_seq IN (SELECT value FROM json_each(?))
"""

IDENTITIES_ON = """
SELECT json_group_array(json_array(asked.value, (
  SELECT json_group_array(identity) FROM (
    SELECT DISTINCT i.identity
    FROM sightings AS s CROSS JOIN identifiers AS i ON i.subject = s.subject
    WHERE s.fingerprint = asked.value AND s.before = '[]' LIMIT ?2
  )
))) FROM json_each(?1) AS asked
"""

SEEN_ON = """
SELECT s.subject, s.before, i.identity
FROM sightings AS s JOIN identifiers AS i ON i.subject = s.subject WHERE s.fingerprint = ?
"""

PUT_REVIEWS = """
INSERT INTO reviews (subject, from_ms, to_ms)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
ON CONFLICT (subject) DO UPDATE SET
  from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms)
"""

REVIEWS_OF = as_json(
    "subject, from_ms, to_ms",
    "SELECT r.* FROM json_each(?) AS asked CROSS JOIN reviews AS r ON r.subject = asked.value",
)

WATCHED = "SELECT subject FROM identifiers WHERE standing IN ('blocked', 'shared')"

PUT_RULE = """
INSERT OR IGNORE INTO rules (seq, organization_id, rule, identifiers, author, reason, made_at_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

TAKE_BACK = """
UPDATE rules SET taken_back_at_ms = ?, taken_back_by = ?
WHERE organization_id = ? AND seq = ? AND taken_back_at_ms IS NULL RETURNING *
"""

PUT_LIMITS = """
INSERT INTO limits (organization_id, limits) VALUES (?, ?)
ON CONFLICT (organization_id) DO UPDATE SET limits = excluded.limits
"""

PUT_CREATION = """
INSERT OR IGNORE INTO creations (seq, organization_id, number, created, conflict)
VALUES (?, ?, ?, ?, ?)
"""
