"""Identifiers: the names a person goes by, and how each kind is brought to one form (R1)."""

from enum import StrEnum
from typing import NewType

Subject = NewType("Subject", int)  # an identifier's own number: 63 bits, unique in the instance
Number = NewType("Number", str)  # a c_user_id as callers see it: 1 to 20 decimal digits

NOBODY = Subject(0)
LENGTH = 200  # characters; longer is refused, never cut: cutting joins strangers


class Kind(StrEnum):
    """In the order in which they decide whose an event is (R5)."""

    C_USER_ID = "c_user_id"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    WALLET = "wallet"
    FINGERPRINT = "fingerprint"


# A new platform is one entry in Kind and one here.
PLATFORMS = {"discord": Kind.DISCORD, "telegram": Kind.TELEGRAM}
