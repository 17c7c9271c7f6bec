"""Shares: paid for different people, within a cap of the day; a friend who buys pays too, once (S18, R3)."""

from uuid import UUID

import pytest

from domain import checks
from domain.earning.rules import Trigger
from domain.enrollments import EnrollMember
from domain.identities import IdentityKind, MemberIdentity
from domain.members import Profile
from domain.points.account import MemberFrozen
from domain.referrals.policy import SALE_GIFT, SHARE_GIFT, ReferralsClosed
from domain.referrals.referral import ReferralCodeUnknown, ReferralState
from domain.referrals.sharing import (
    OWN_DEVICES_MAX,
    SHARES_A_DAY_MAX,
    VISITORS_MAX,
    Share,
    ShareCreated,
    ShareKind,
    ShareRewarded,
    SharesExhausted,
    ShareTargetUnknown,
    ShareVisit,
)
from tests.domain.friends import Club, seen
from tests.domain.shop import Shop, campaign, fixed, local


@pytest.fixture
def club() -> Club:
    return Club()


def test_s18_a_share_is_made_with_a_code_of_its_own(club: Club) -> None:
    member = club.enroll()
    shared = club.share(member)
    share = shared.share
    assert (share.kind, share.target, share.visitors, share.points) == (ShareKind.PAGE, "/tea", 0, 0)
    assert (shared.code.id, shared.code.share_id, shared.code.member_id) == (share.id, share.id, member)
    assert club.events == (ShareCreated(member_id=member, share_id=share.id),)
    again = club.share(member)
    assert (again.is_repeat, again.share, again.code, club.decision.save) == (True, share, shared.code, ())
    assert club.share(member, "/cups").code.code != shared.code.code
    club.now = local("2026-01-16 00:00")
    assert not club.share(member).is_repeat, "another local day, another share"


@pytest.mark.parametrize("needed", [1, 3])
def test_r3_a_share_pays_5_when_enough_different_people_have_come_and_once(needed: int) -> None:
    club = Club(terms={"share_visitors": needed})
    member = club.enroll()
    shared = club.share(member)
    for number in range(needed):
        assert club.account(member).available == 0
        assert club.visit(shared, f"v-{number}").is_counted
    assert club.account(member).available == 5
    assert club.events == (ShareRewarded(member_id=member, share_id=shared.share.id, points=5),)
    paid_at = club.now
    club.later(days=1)
    share = club.visit(shared, "another").share
    assert (share.visitors, share.points, share.rewarded_at) == (needed + 1, 5, paid_at)
    assert [(row.rule, row.amount) for row in club.transactions(member)] == [(SHARE_GIFT, 5)]
    club.replay(member)


def test_r3_a_visitor_counts_once(club: Club) -> None:
    club.promise(share_visitors=2)
    member = club.enroll()
    shared = club.share(member)
    assert club.visits(shared, ["a", "a", " a "]) == [True, False, False]
    assert (club.account(member).available, len(club.state.rows(ShareVisit))) == (0, 1)
    other = club.share(member, "/cups")
    assert club.visits(other, ["a", "b"]) == [True, True], "of another share it counts"


def test_r3_the_member_itself_does_not_count(club: Club) -> None:
    device = seen(IdentityKind.DEVICE, "my phone")
    profile = Profile(external_id="li")
    member = club.run(EnrollMember(profile=profile, identified=(device,))).member.id
    shared = club.share(member)
    assert not club.visit(shared, "my phone").is_counted
    assert not club.visit(shared, "my tablet", member).is_counted
    assert club.account(member).available == 0
    assert club.visit(shared, "a tablet", club.enroll()).is_counted


def test_r3_a_member_counts_once_on_all_its_devices_and_a_device_once_for_all_members(club: Club) -> None:
    member, visitor, other = club.enroll(), club.enroll(), club.enroll()
    shared = club.share(member)

    def counts(device: str, who: UUID | None = None) -> bool:
        return club.visit(shared, device, who).is_counted

    assert counts("phone", visitor)
    assert not counts("tablet", visitor)
    assert not counts("tablet"), "it was seen with who had come before"
    assert not counts("tablet", other)
    assert not counts("other's", other), "it came by the tablet"
    assert counts("a stranger's")
    assert not counts("a stranger's", club.enroll())
    assert club.row(Share, shared.share.id).visitors == 2
    assert club.visit(club.share(member, "/cups"), "tablet", visitor).is_counted, "of another share it counts"


def test_r3_a_device_on_which_the_member_was_signed_in_is_its_own_from_then_on(club: Club) -> None:
    member = club.enroll()
    first, second = club.share(member, "/tea"), club.share(member, "/cups")
    assert not club.visit(first, "my tablet", member).is_counted
    assert not club.visit(first, "my tablet").is_counted
    assert not club.visit(second, "my tablet", club.enroll()).is_counted
    assert not club.visit(first, "my tablet", member).is_counted, "it is kept once"
    for number in range(OWN_DEVICES_MAX + 5):
        club.visit(first, f"d-{number}", member)
    assert len(club.state.rows(MemberIdentity)) == OWN_DEVICES_MAX, "and leaves room for what the shop sees"
    assert club.visit(first, f"d-{OWN_DEVICES_MAX + 4}").is_counted


def test_r3_a_plain_share_is_capped_by_the_program_s_day(club: Club) -> None:
    club.promise(share_daily_max=2)
    member = club.enroll()
    paid = []
    for at in ("2026-01-20 00:00", "2026-01-20 12:00", "2026-01-20 23:59", "2026-01-21 00:00"):
        club.now = local(at)
        share = club.visit(club.share(member, at), "v").share
        paid.append((share.points, share.limited_by))
    assert paid == [(5, None), (5, None), (0, "DAY"), (5, None)]


def test_r3_what_the_cap_left_unpaid_is_not_paid_tomorrow(club: Club) -> None:
    club.promise(share_daily_max=1)
    member = club.enroll()
    first, second = club.share(member, "/1"), club.share(member, "/2")
    club.visits(first, ["a"])
    club.visits(second, ["a"])
    club.later(days=1)
    club.visits(second, ["b"])
    assert club.account(member).available == 5


def test_s18_rules_give_for_a_share_too() -> None:
    club = Club(terms={"share_points": 0}, rules=(fixed(7, "shared", trigger=Trigger.SHARE),))
    member = club.enroll()
    assert club.visit(club.share(member), "v").share.points == 7


def test_a_share_that_gives_nothing_is_over_all_the_same() -> None:
    club = Club(terms={"share_points": 0})
    member = club.enroll()
    share = club.visit(club.share(member), "v").share
    assert (share.points, share.rewarded_at) == (0, club.now)
    assert club.history(member) == []


def test_who_is_frozen_is_visited_and_paid_when_it_is_free_again(club: Club) -> None:
    member = club.enroll()
    shared = club.share(member)
    club.freeze(member)
    assert club.visit(shared, "a").is_counted
    assert club.account(member).available == 0
    with pytest.raises(MemberFrozen):
        club.share(member, "/cups")
    club.freeze(member, is_frozen=False)
    club.visit(shared, "b")
    assert club.account(member).available == 5


def test_a_visit_after_the_program_closed_pays_nothing(club: Club) -> None:
    member = club.enroll()
    shared = club.share(member)
    club.promise(is_active=False)
    assert club.visit(shared, "a").is_counted
    assert club.account(member).available == 0
    with pytest.raises(ReferralsClosed):
        club.share(member, "/cups")


# Friends who come by a share.


def buyer_by(club: Club, code: str) -> UUID:
    """A friend who enrolls with a code and buys."""
    profile = Profile(external_id=f"friend-{club.number}")
    friend = club.run(EnrollMember(profile=profile, referral_code=code)).member.id
    club.buy(friend, 5_000)
    return friend


def test_s18_a_share_that_leads_to_a_purchase_pays_5_once_a_friend_and_is_taken_back_with_it(club: Club) -> None:
    member = club.enroll()
    shared = club.share(member)
    friend = buyer_by(club, shared.code.code)
    club.buy(friend, 5_000)
    referral = club.referral(friend)
    assert (referral.share_id, referral.referrer_id) == (shared.share.id, member)
    given = [(row.rule, row.amount) for row in club.transactions(member)]
    assert given == [("referral-gift", 100), (SALE_GIFT, 5)]
    assert club.figures(member) == (0, 105, 0, 0)
    buyer_by(club, shared.code.code)
    assert club.figures(member) == (0, 210, 0, 0)
    assert referral.purchase_id is not None
    club.refund(club.purchase(referral.purchase_id))
    assert (club.figures(member), club.referral(friend).state) == ((0, 105, 0, 0), ReferralState.CLAWED_BACK)
    club.replay(member)


def test_s18_only_the_sale_pays_where_bringing_friends_does_not(club: Club) -> None:
    club.promise()
    member = club.enroll()
    friend = buyer_by(club, club.share(member).code.code)
    assert (club.figures(member), club.figures(friend)) == ((0, 5, 0, 0), (0, 0, 0, 0))
    buyer_by(club, club.code(member))
    assert club.figures(member) == (0, 5, 0, 0), "a friend who came by the member's own code came by no share"


def test_s18_a_visit_of_a_member_s_own_code_is_none_of_a_share(club: Club) -> None:
    member = club.enroll()
    code = club.code(member)
    shared = club.share(member)
    with pytest.raises(ReferralCodeUnknown):
        club.visit(type(shared)(share=shared.share, code=club.code_row(code), account=shared.account), "v")


# What may be shared.


def test_what_is_shared_is_there(club: Club) -> None:
    member = club.enroll()
    reward = club.reward(10)
    club.edit(campaigns=(campaign("spring"),))
    assert club.share(member, reward.code, ShareKind.REWARD).share.target == reward.code
    assert club.share(member, "spring", ShareKind.CAMPAIGN).share.kind is ShareKind.CAMPAIGN
    for kind in (ShareKind.REWARD, ShareKind.CAMPAIGN):
        with pytest.raises(ShareTargetUnknown) as refused:
            club.share(member, "nothing", kind)
        assert refused.value.details == {"kind": kind, "target": "nothing"}
    with pytest.raises(checks.TextInvalid):
        club.share(member, " ")


def test_everything_has_a_limit(club: Club) -> None:
    member = club.enroll()
    for number in range(SHARES_A_DAY_MAX):
        shared = club.share(member, f"/{number}")
    with pytest.raises(SharesExhausted) as refused:
        club.share(member, "/one more")
    assert refused.value.details == {"limit": SHARES_A_DAY_MAX}
    assert club.share(member, "/7").is_repeat
    club.later(days=1)
    assert not club.share(member, "/one more").is_repeat
    counted = club.visits(shared, (f"v-{number}" for number in range(VISITORS_MAX + 1)))
    assert counted.count(True) == VISITORS_MAX
    assert club.row(Share, shared.share.id).visitors == VISITORS_MAX


def test_a_program_without_a_policy_shares_nothing() -> None:
    shop = Shop()
    with pytest.raises(ReferralsClosed):
        Club.share(shop, shop.enroll())  # type: ignore[arg-type]
