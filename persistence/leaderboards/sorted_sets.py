"""Standings in Redis: a sorted set a period, and a hash that says where in it a member is.

A sorted set keeps doubles, which hold whole numbers up to 2^53 exactly, as all scores are. Its score is the standing's,
negative, so that the best come first; its member is 24 bytes: when the score was reached, in microseconds after the
year 1 (8 bytes, big-endian), and the member's id (16 bytes). Redis orders equal scores by these bytes: who reached it
first comes first, then the smaller id (B2). The hash says for each id when it reached its score. The rank 1, 2, 2, 4 is
one more than how many have a strictly higher score (`ZCOUNT`).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.leaderboards.standing import Standing
from persistence.leaderboards.counting import Counted
from persistence.relay import RedisCommand, key

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def place(program_id: UUID, leaderboard_id: UUID, starts_at: datetime) -> str:
    """The key of a period's sorted set."""
    return key(program_id, "board", leaderboard_id, _microseconds(starts_at))


def times(board: str) -> str:
    """The key of the hash beside a sorted set."""
    return f"{board}:at"


def _microseconds(at: datetime) -> int:
    return (at - _BEGINNING) // _MICROSECOND


def _time(packed: bytes) -> datetime:
    return _BEGINNING + timedelta(microseconds=int.from_bytes(packed))


def standing(member: bytes, score: float) -> Standing:
    """A standing, of what a sorted set has."""
    return Standing(member_id=UUID(bytes=member[8:]), score=-int(score), reached_at=_time(member[:8]))


def removing(program_id: UUID, leaderboard_id: UUID, starts_at: datetime) -> RedisCommand:
    """What takes a period away."""
    board = place(program_id, leaderboard_id, starts_at)
    return ("UNLINK", board, times(board))


def adding(program_id: UUID, entries: Iterable[Iterable[Any]]) -> list[RedisCommand]:
    """What puts standings into keys that do not have those members yet, one pair of commands a period.

    An entry is board, start of the period, member, score, and when that was reached.
    """
    boards: dict[tuple[UUID, datetime], tuple[list[Any], list[Any]]] = {}
    for leaderboard_id, starts_at, member_id, score, reached_at in entries:
        scores, at = boards.setdefault((leaderboard_id, starts_at), ([], []))
        packed = _microseconds(reached_at).to_bytes(8)
        scores += (-score, packed + member_id.bytes)
        at += (member_id.bytes, packed)
    commands: list[RedisCommand] = []
    for (leaderboard_id, starts_at), (scores, at) in boards.items():
        board = place(program_id, leaderboard_id, starts_at)
        commands += (("ZADD", board, *scores), ("HSET", times(board), *at))
    return commands


def changing(program_id: UUID, counted: Sequence[Counted]) -> list[RedisCommand]:
    """What makes standings what they have become, wherever the members were before."""
    boards: dict[tuple[UUID, datetime], list[Any]] = {}
    for each in counted:
        told = boards.setdefault((each.leaderboard_id, each.starts_at), [])
        if each.score is None or each.reached_at is None:
            told += (each.member_id.bytes, "", "")
        else:
            told += (each.member_id.bytes, _microseconds(each.reached_at).to_bytes(8), -each.score)
    return [
        ("EVAL", _CHANGE, 2, board := place(program_id, *which), times(board), *told) for which, told in boards.items()
    ]


# For each member: its id, when it reached its score, and that score, negative; the last two empty if it has none.
_CHANGE: Final = """
for i = 1, #ARGV, 3 do
    local id, at, score = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local before = redis.call('HGET', KEYS[2], id)
    if before and before ~= at then redis.call('ZREM', KEYS[1], before .. id) end
    if at == '' then
        redis.call('HDEL', KEYS[2], id)
    else
        redis.call('ZADD', KEYS[1], score, at .. id)
        redis.call('HSET', KEYS[2], id, at)
    end
end
"""

# Each script answers from one instant; nothing where a program's standings are missing or being built. Its keys are
# the version that is known, the sorted set and the hash.

_WHOLE: Final = """
local version = redis.call('GET', KEYS[1])
if not version or not string.match(version, '^%d+$') then return false end
"""
TOP: Final = f"""{_WHOLE}
return {{version, redis.call('ZRANGE', KEYS[2], 0, ARGV[1], 'WITHSCORES')}}
"""
AROUND: Final = f"""{_WHOLE}
local at = redis.call('HGET', KEYS[3], ARGV[1])
if not at then return {{version, {{}}, 0, 0}} end
local place = redis.call('ZRANK', KEYS[2], at .. ARGV[1])
local first = math.max(0, place - ARGV[2])
local found = redis.call('ZRANGE', KEYS[2], first, place + ARGV[2], 'WITHSCORES')
return {{version, found, first, redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. found[2])}}
"""
# For the size of the board and members: the last score that is shown, and of each member its entry, place, how many
# have more, and the next higher score.
OWN: Final = f"""{_WHOLE}
local found = {{version, redis.call('ZRANGE', KEYS[2], ARGV[1] - 1, ARGV[1] - 1, 'WITHSCORES')[2] or false}}
for i = 2, #ARGV do
    local own, place, higher = {{}}, 0, 0
    local at = redis.call('HGET', KEYS[3], ARGV[i])
    if at then
        local member = at .. ARGV[i]
        place = redis.call('ZRANK', KEYS[2], member)
        local score = redis.call('ZSCORE', KEYS[2], member)
        higher = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. score)
        own = {{member, score}}
    else
        higher = redis.call('ZCARD', KEYS[2])
    end
    local next = false
    if higher > 0 then next = redis.call('ZRANGE', KEYS[2], higher - 1, higher - 1, 'WITHSCORES')[2] end
    found[#found + 1] = {{own, place, higher, next or false}}
end
return found
"""
