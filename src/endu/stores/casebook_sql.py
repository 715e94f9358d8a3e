"""The casebook's statements. Sets of subjects come as one JSON text, apart in `json_each`."""

from endu.stores.sqlite_rows import LINK, LINKS_OF, NODE

FIND = f"""
SELECT {NODE} FROM json_each(?) AS named
CROSS JOIN identifiers AS i
  ON i.organization_id = ? AND i.kind = named.value ->> 0 AND i.value = named.value ->> 1
"""

# A number is its identifier's own subject, or was brought by a caller for one of its own kind.
BEARING = f"""
SELECT {NODE} FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.subject = CAST(named.value AS INTEGER) AND i.number = named.value
WHERE i.organization_id = :organization_id
UNION
SELECT {NODE} FROM json_each(:numbers) AS named
CROSS JOIN identifiers AS i
  ON i.organization_id = :organization_id AND i.kind = 'c_user_id' AND i.value = named.value
"""

CLUSTERS = f"""
SELECT {NODE} FROM json_each(:clusters) AS asked
CROSS JOIN identifiers AS i ON i.subject = asked.value AND i.cluster = asked.value
UNION ALL
SELECT {NODE} FROM json_each(:clusters) AS asked
CROSS JOIN identifiers AS i ON i.cluster = asked.value AND i.cluster <> i.subject
"""

ALL_CLUSTERS = """
SELECT DISTINCT cluster FROM identifiers
WHERE cluster <> subject AND organization_id = ? ORDER BY cluster
"""

COUNTING_LINKS_OF = f"""
SELECT * FROM ({LINKS_OF}) WHERE verdict IN ('accepted', 'refused')
"""

LINKS_BETWEEN = f"""
SELECT {LINK} FROM json_each(?) AS asked
CROSS JOIN links AS l ON l.a = asked.value ->> 0 AND l.b = asked.value ->> 1
"""

CLUSTERS_BESIDE = f"""
SELECT DISTINCT i.cluster FROM ({LINKS_OF}) AS l
CROSS JOIN identifiers AS i ON i.subject IN (l.a, l.b)
"""

PUT_NODE = """
INSERT INTO identifiers (subject, organization_id, kind, value, number, asserted, standing,
                         first_at_ms, cluster, identity)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET
  asserted = excluded.asserted, standing = excluded.standing,
  first_at_ms = excluded.first_at_ms, cluster = excluded.cluster, identity = excluded.identity
"""

PUT_LINK = """
INSERT INTO links (a, b, organization_id, proof, claimed_at_ms, first_seq, verdict, reason,
                   against_a, against_b)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (a, b) DO UPDATE SET
  proof = excluded.proof, claimed_at_ms = excluded.claimed_at_ms,
  first_seq = excluded.first_seq, verdict = excluded.verdict, reason = excluded.reason,
  against_a = excluded.against_a, against_b = excluded.against_b
"""

PUT_SEEN = """
INSERT INTO sightings (fingerprint, subject, before, first_at_ms, first_seq)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (fingerprint, subject, before) DO UPDATE SET
  first_at_ms = excluded.first_at_ms, first_seq = excluded.first_seq
WHERE excluded.first_at_ms < first_at_ms
"""

PUT_OWNER = """
INSERT INTO owners (subject, identity, version) VALUES (?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET identity = excluded.identity, version = excluded.version
"""

PUT_LINE = """
INSERT INTO journal (organization_id, seq, at_ms, change, subject, detail)
VALUES (?, ?, ?, ?, ?, ?)
"""

FINGERPRINTS_SEEN_WITH = """
SELECT DISTINCT s.fingerprint FROM json_each(?) AS asked
CROSS JOIN sightings AS s ON s.subject = asked.value
"""

IDENTITIES_ON = """
SELECT asked.value, (
  SELECT json_group_array(identity) FROM (
    SELECT DISTINCT i.identity
    FROM sightings AS s CROSS JOIN identifiers AS i ON i.subject = s.subject
    WHERE s.fingerprint = asked.value AND s.before = '[]' LIMIT ?2
  )
) FROM json_each(?1) AS asked
"""

SEEN_ON = """
SELECT s.subject, s.before, i.identity
FROM sightings AS s JOIN identifiers AS i ON i.subject = s.subject WHERE s.fingerprint = ?
"""

PUT_REVIEW = """
INSERT INTO reviews (subject, from_ms, to_ms) VALUES (?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET
  from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms)
RETURNING subject, from_ms, to_ms
"""

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
