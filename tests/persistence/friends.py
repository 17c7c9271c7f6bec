"""Members who bring friends, on a real PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.enrollments import EnrollMember
from domain.identities import Identity, IdentityKind, MemberIdentity, hashed
from domain.members import Profile
from domain.purchases.recording import RecordPurchase
from domain.referrals.binding import BindReferral
from domain.referrals.code import MakeReferralCode, ReferralCode, ReferralPace
from domain.referrals.policy import ReferralPolicy, SaveReferralPolicy, default_policy
from domain.referrals.referral import Referral
from domain.referrals.sharing import CreateShare, Share, ShareKind, ShareVisit, VisitShare
from domain.values import changed
from tests.persistence import engines
from tests.persistence.engines import Shop

# The kinds whose tables are of referrals.
NEW_KINDS = (MemberIdentity, ReferralPolicy, ReferralCode, ReferralPace, Share, ShareVisit, Referral)
TERMS = {"minimum_minor": 5_000, "referrer_points": 100, "referee_points": 50}


async def promise(shop: Shop, **terms: Any) -> None:
    """Save a policy of these terms, and the defaults of all others."""
    policy = changed(default_policy(shop.program_id), is_active=True, **(TERMS | terms))
    await shop.run(SaveReferralPolicy(policy=policy))


def seen(shop: Shop, value: str, kind: IdentityKind = IdentityKind.DEVICE) -> Identity:
    """An identity as the API tells it."""
    return hashed(b"a key of tests", shop.program_id, kind, value)


async def code(shop: Shop, member_id: UUID) -> str:
    """A member's code."""
    made: str = (await shop.run(MakeReferralCode(member=engines.ref(member_id)))).code.code
    return made


def bind(friend: UUID, told: str) -> BindReferral:
    """A friend who says by whose code it came."""
    return BindReferral(member=engines.ref(friend), code=told)


def bringing(told: str, identified: Sequence[Identity] = ()) -> EnrollMember:
    """A new friend who comes by a code."""
    profile = Profile(external_id=engines.key())
    return EnrollMember(profile=profile, referral_code=told, identified=tuple(identified))


async def bring(shop: Shop, told: str, identified: Sequence[Identity] = ()) -> UUID:
    """Enroll a friend who comes by a code; its id."""
    friend: UUID = (await shop.run(bringing(told, identified))).member.id
    return friend


def buy(friend: UUID, amount_minor: int = 5_000, identified: Sequence[Identity] = ()) -> RecordPurchase:
    """An order of a friend, with which it qualifies unless it is smaller."""
    return changed(engines.buy(friend, engines.key(), amount_minor), identified=tuple(identified))


async def furnish(shop: Shop, member_id: UUID) -> None:
    """One of every kind, with every field told somewhere."""
    await promise(shop, link="https://shop.example/i/{code}")
    own = await code(shop, member_id)
    await bring(shop, own)
    shared = await shop.run(CreateShare(member=engines.ref(member_id), kind=ShareKind.PAGE, target="/茶"))
    await shop.run(VisitShare(code=shared.code.code, visitor=seen(shop, "visitor")))
    friend = await bring(shop, shared.code.code, [seen(shop, "o-1", IdentityKind.OPENID)])
    await shop.run(buy(friend))
