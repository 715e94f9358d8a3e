"""Who is asking: an organization, and what the key in hand may do for it."""

from msgspec import Struct

from endu.organizations.keyring import KeyId, KeyKind, Scope
from endu.organizations.organization import Organization
from endu.refusals import Reason, Refusal


class Caller(Struct, frozen=True):
    organization: Organization
    kind: KeyKind
    scopes: frozenset[Scope]
    key_id: KeyId

    def must_have(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise Refusal(
                Reason.KEY_NOT_ALLOWED,
                f"This {self.kind} key lacks the scope {scope}; use one that has it.",
            )
