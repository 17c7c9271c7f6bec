"""Topics: under which names changes are told to those who listen live."""

from enum import StrEnum
from uuid import UUID


class Subject(StrEnum):
    """What may be listened to live."""

    MEMBER = "member"  # a member, its account, and all that is its own
    LEADERBOARDS = "leaderboards"  # the standings of a program; the key is the program's
    FLASH_SALE = "flash_sale"  # a flash sale, its items, and what is left of them


def topic(subject: Subject, key: UUID) -> str:
    """The name under which a change of something is told."""
    return f"{subject}:{key}"
