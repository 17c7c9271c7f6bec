"""Commit and reveal, byte by byte (D4): the vectors here are what anybody's implementation must give."""

import hashlib
import hmac
from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.lotteries import fairness, significance
from domain.lotteries.significance import Cell

SEED = bytes(range(32))
SPAN = 1 << 256


def test_d4_vectors() -> None:
    assert fairness.digest(SEED) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    nonce = fairness.nonce_of(UUID(int=1), 1)
    assert nonce == "00000000000000000000000000000001-1"
    message = fairness.message_of("lucky", nonce)
    assert message == "lucky:00000000000000000000000000000001-1"
    # The message under the seed is an integer of 256 bits whose rest is the point.
    whole = int(hmac.new(SEED, message.encode(), hashlib.sha256).hexdigest(), 16)
    assert [fairness.point(SEED, message, total) for total in (1, 10, 1_000, 10**9)] == [
        whole % total for total in (1, 10, 1_000, 10**9)
    ]
    assert fairness.point(SEED, message, 1_000) == 161


def test_d4_what_would_favour_the_first_places_is_drawn_again() -> None:
    """2^256 leaves a rest of 1 by 3: the last integer is one too many."""
    assert SPAN % 3 == 1
    assert fairness.below(3, SPAN - 1, iter([SPAN - 1, 5])) == 2
    assert fairness.below(3, SPAN - 2, iter([])) == (SPAN - 2) % 3
    assert fairness.below(4, SPAN - 1, iter([])) == 3


def test_d4_what_comes_again_is_the_message_with_a_number_behind_it() -> None:
    again = fairness._further(SEED, b"lucky:x-1")
    expected = [hmac.new(SEED, f"lucky:x-1#{number}".encode(), hashlib.sha256).digest() for number in (1, 2)]
    assert [next(again), next(again)] == [int.from_bytes(each) for each in expected]


def test_d4_no_place_is_favoured() -> None:
    """Ten thousand messages over a total that is no power of two."""
    found = Counter(fairness.point(SEED, f"a:{number}", 7) for number in range(10_000))
    assert significance.chi_square(Cell(10_000 / 7, found[place]) for place in range(7)).p_value > 0.01


@given(one=st.tuples(st.text(max_size=6), st.integers(1, 99)), other=st.tuples(st.text(max_size=6), st.integers(1, 99)))
def test_no_two_draws_have_one_message(one: tuple[str, int], other: tuple[str, int]) -> None:
    """Whatever members like to write, colons and all."""

    def message(told: tuple[str, int]) -> str:
        return fairness.message_of(told[0], fairness.nonce_of(UUID(int=1), told[1]))

    assert (message(one) == message(other)) == (one == other)
