"""Activities: each is recorded once for ever, earns by rule, and is taken back once (S19 to S24, L8, L11)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, stores
from domain.activities import (
    Activity,
    ActivityConflict,
    ActivityRecorded,
    ActivityReversed,
    RecordActivity,
    ReverseActivity,
)
from domain.earning.facts import Earned, Facts
from domain.earning.rules import Conditions, EarningRule, Trigger
from domain.kernel import NotFound
from domain.members import AttributeInvalid, MemberRef
from domain.points.account import MemberFrozen, ShortfallOutcome, SourceType, TransactionKind
from domain.policies import PendingKind, PendingPolicy
from domain.programs import ShortfallPolicy
from domain.stores import Channel
from tests.domain.memory import START, ref
from tests.domain.shop import SHANGHAI, Shop, fixed, per_amount

NOBODY = UUID(int=99)


def of(kind: str, points: int, code: str | None = None, **more: Any) -> EarningRule:
    return fixed(points, code or kind, trigger=Trigger.ACTIVITY, activity_type=kind, **more)


def shop_of(*rules: EarningRule, **settings: Any) -> Shop:
    return Shop(rules=rules or (of("review", 5),), **settings)


def test_s19_an_activity_earns_by_the_rules_of_its_type_and_keeps_what_it_was_told() -> None:
    shop = shop_of(of("review", 5), of("share", 9), per_amount(1, 100))
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    member = shop.enroll()
    told = RecordActivity(
        member=ref(member),
        type=" review ",
        external_id=" R-1 ",
        store_id=store.id,
        channel=Channel.IN_STORE,
        data={"stars": 5, "text": "good"},
        occurred_at=START - timedelta(days=2),
    )
    done = shop.run(told, actor="li")
    activity = done.activity
    (earned,) = shop.transactions(member)
    assert activity == Activity(
        id=activity.id,
        program_id=activity.program_id,
        member_id=member,
        key="review\x1fR-1",
        type="review",
        external_id="R-1",
        store_id=store.id,
        channel=Channel.IN_STORE,
        data={"stars": 5, "text": "good"},
        rule_version=1,
        facts=Facts(time_zone=SHANGHAI),
        earned=(Earned(rule="review", points=5, requested=5),),
        points_earned=5,
        earning_id=earned.id,
        occurred_at=START - timedelta(days=2),
        recorded_at=START,
        actor="li",
    )
    assert shop.row(Activity, activity.id) == activity
    assert (earned.kind, earned.amount, earned.rule, earned.rule_version) == (TransactionKind.EARN, 5, "review", 1)
    assert (earned.source_type, earned.source_id) == (SourceType.ACTIVITY, activity.id)
    assert shop.events == (ActivityRecorded(member_id=member, activity_id=activity.id, type="review", points=5),)
    assert (done.account.available, done.is_repeat) == (5, False)


def test_an_activity_that_earns_nothing_is_recorded_too() -> None:
    shop = shop_of()
    member = shop.enroll()
    done = shop.act(member, "survey")
    assert (done.activity.earned, done.activity.points_earned, done.activity.earning_id) == ((), 0, None)
    assert shop.events == (ActivityRecorded(member_id=member, activity_id=done.activity.id, type="survey", points=0),)
    taken = shop.reverse(done)
    assert (taken.activity.points_taken_back, taken.activity.reversed_at) == (0, START)
    assert shop.history(member) == []


@pytest.mark.parametrize("trigger", [Trigger.CHECK_IN, Trigger.REFERRAL, Trigger.REFERRED, Trigger.SHARE])
def test_s17_s18_signing_in_and_friends_and_shares_are_no_activities(trigger: Trigger) -> None:
    """Whoever could report sign-ins under ids of its own choice would be given more than one a day (G1)."""
    shop = shop_of(fixed(10, "own", trigger=trigger))
    member = shop.enroll()
    told = ("check_in", "referral", "share", "referred")
    assert [shop.act(member, kind).activity.points_earned for kind in told] == [0, 0, 0, 0]


def test_l11_an_activity_told_again_earns_nothing_twice_whatever_else_is_told_and_whenever() -> None:
    shop = shop_of()
    member = shop.enroll()
    first = shop.act(member, external_id="R-1")
    shop.later(days=900)
    shop.freeze(member)
    again = shop.act(member, external_id=" R-1 ", channel=Channel.PHONE, data={"stars": 1})
    assert (again.is_repeat, again.activity) == (True, first.activity)
    assert (shop.decision.save, shop.events) == ((), ())
    assert shop.history(member) == [("EARN", 5)]


def test_l11_an_activity_of_another_member_is_a_conflict_and_another_type_is_another_activity() -> None:
    shop = shop_of(of("review", 5), of("share", 9))
    member, other = shop.enroll(), shop.enroll()
    shop.act(member, external_id="1")
    for who in (ref(other), ref(NOBODY)):
        with pytest.raises(ActivityConflict) as refused:
            shop.run(RecordActivity(member=who, type="review", external_id="1"))
        assert refused.value.field == ("externalId",)
        assert refused.value.details == {"type": "review", "externalId": "1"}
        assert refused.value.message == "The activity '1' of type 'review' was recorded before, of another member."
    assert shop.history(other) == []
    assert shop.act(member, "share", external_id="1").activity.points_earned == 9


def test_l11_no_two_pairs_of_type_and_number_are_one() -> None:
    shop = shop_of()
    member = shop.enroll()
    shop.act(member, "a\nb", external_id="c")
    assert not shop.act(member, "a", external_id="b\nc").is_repeat


def test_what_is_wrong_with_an_activity_is_told_in_order() -> None:
    shop = shop_of()
    frozen = shop.enroll()
    shop.freeze(frozen)
    store = shop.run(stores.CreateStore(code="S1", name="Tea house"))
    shop.run(stores.UpdateStore(store_id=store.id, is_closed=True))
    told: dict[str, Any] = {
        "member": MemberRef(external_id="nobody"),
        "type": "x" * 51,
        "external_id": " ",
        "occurred_at": START + timedelta(days=1),
        "data": {"": 1},
        "store_id": NOBODY,
    }
    precedence: list[tuple[type[Exception], dict[str, Any]]] = [
        (checks.TextInvalid, {"type": "review"}),
        (checks.TextInvalid, {"external_id": "R-1"}),
        (checks.TimeInvalid, {"occurred_at": None}),
        (AttributeInvalid, {"data": None}),
        (NotFound, {"member": ref(NOBODY)}),
        (NotFound, {"store_id": store.id}),
        (stores.StoreClosed, {"store_id": None}),
        (NotFound, {"member": ref(frozen)}),
        (MemberFrozen, {"member": ref(shop.enroll())}),
    ]
    for refusal, mended in precedence:
        with pytest.raises(refusal) as refused:
            shop.run(RecordActivity(**told))
        assert type(refused.value) is refusal
        told |= mended
    assert shop.run(RecordActivity(**told)).activity.points_earned == 5


def test_s19_conditions_of_a_rule_ask_of_the_activity() -> None:
    shop = shop_of(of("review", 5, when=Conditions(channels=(Channel.IN_STORE,))))
    member = shop.enroll()
    assert shop.act(member).activity.points_earned == 0
    assert shop.act(member, channel=Channel.IN_STORE).activity.points_earned == 5


# Taking back.


def test_l8_an_activity_is_taken_back_exactly_once() -> None:
    shop = shop_of()
    member = shop.enroll(100)
    done = shop.act(member)
    shop.later(days=1)
    taken = shop.reverse(done)
    assert (taken.activity.reversed_at, taken.activity.reason) == (shop.now, "deleted")
    assert (taken.activity.points_earned, taken.activity.points_taken_back) == (5, 5)
    assert shop.events == (ActivityReversed(member_id=member, activity_id=done.activity.id, type="review", points=5),)
    assert shop.history(member)[-1] == ("REVERSE", -5)
    assert shop.transactions(member)[-1].reverses == done.activity.earning_id
    assert shop.account(member).qualifying_points == 0
    again = shop.reverse(done)
    assert (again.is_repeat, again.activity) == (True, taken.activity)
    assert (shop.decision.save, shop.events) == ((), ())
    assert shop.act(member, external_id=done.activity.external_id).is_repeat, "what was taken back is not earned again"
    assert shop.figures(member) == (100, 0, 0, 0)
    shop.replay(member)


def test_l8_pending_points_of_an_activity_are_cancelled() -> None:
    shop = shop_of(of("review", 5, pending=PendingPolicy(PendingKind.AFTER, days=7)))
    member = shop.enroll(100)
    done = shop.act(member)
    assert shop.figures(member) == (100, 5, 0, 0)
    taken = shop.reverse(done)
    assert (taken.activity.points_taken_back, shop.history(member)[-1]) == (5, ("CANCEL", -5))
    assert shop.figures(member) == (100, 0, 0, 0)
    shop.replay(member)


@pytest.mark.parametrize(
    ("policy", "outcome", "debt"),
    [
        (ShortfallPolicy.DEBT, ShortfallOutcome.DEBT, 3),
        (ShortfallPolicy.CLAMP, ShortfallOutcome.WRITTEN_OFF, 0),
        # There is no money to keep them back from.
        (ShortfallPolicy.DEDUCT_FROM_REFUND, ShortfallOutcome.DEBT, 3),
    ],
)
def test_l8_spent_points_of_an_activity_go_by_the_shortfall_policy(
    policy: ShortfallPolicy, outcome: ShortfallOutcome, debt: int
) -> None:
    shop = shop_of(shortfall_policy=policy)
    member = shop.enroll()
    done = shop.act(member)
    shop.spend(member, 3)
    taken = shop.reverse(done)
    assert (taken.activity.points_taken_back, shop.figures(member)) == (2, (0, 0, 0, debt))
    shortfall = shop.shortfall(member)
    assert (shortfall.amount, shortfall.outcome, shortfall.source_id) == (3, outcome, done.activity.id)
    shop.replay(member)


def test_l8_every_rule_of_an_activity_is_taken_back_and_a_frozen_members_too() -> None:
    shop = shop_of(of("review", 5, "a"), of("review", 7, "b"))
    member = shop.enroll()
    done = shop.act(member)
    assert done.activity.points_earned == 12
    shop.freeze(member)
    assert shop.reverse(done).activity.points_taken_back == 12
    assert shop.figures(member) == (0, 0, 0, 0)


def test_l7_an_activity_is_taken_back_by_what_it_earned_not_by_todays_rules() -> None:
    shop = shop_of()
    member = shop.enroll()
    done = shop.act(member)
    shop.update(rules=(of("review", 50),))
    assert shop.reverse(done).activity.points_taken_back == 5


def test_on_event_points_of_an_activity_are_available_at_once() -> None:
    shop = shop_of(pending=PendingPolicy(PendingKind.ON_EVENT))
    member = shop.enroll()
    shop.act(member)
    assert shop.figures(member) == (5, 0, 0, 0)


def test_what_cannot_be_taken_back_is_refused() -> None:
    shop = shop_of()
    done = shop.act(shop.enroll())
    with pytest.raises(NotFound) as refused:
        shop.run(ReverseActivity(activity_id=NOBODY, reason="x"))
    assert refused.value.details == {"kind": "Activity", "key": str(NOBODY)}
    with pytest.raises(checks.TextInvalid):
        shop.run(ReverseActivity(activity_id=done.activity.id, reason=" "))
    assert shop.row(Activity, done.activity.id) == done.activity
