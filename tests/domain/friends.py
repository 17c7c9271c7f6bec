"""A mall whose members bring friends: short words for codes, bindings, shares and what staff decides."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from domain.enrollments import EnrollMember
from domain.identities import Identity, IdentityKind, hashed
from domain.members import Profile
from domain.purchases.purchase import Purchase
from domain.referrals.binding import BindReferral, Bound
from domain.referrals.code import MakeReferralCode, ReferralCode
from domain.referrals.policy import ReferralPolicy, SaveReferralPolicy
from domain.referrals.referral import Referral, ReferralState
from domain.referrals.settling import Decided, ReviewReferral, SettleReferral
from domain.referrals.sharing import CreateShare, Shared, ShareKind, Visited, VisitShare
from tests.domain.mall import POINT_VALUE_BP, Mall
from tests.domain.memory import IDENTITY_KEY, PROGRAM_ID, ref

# 100 points for who brings, 50 for who is brought, after an order of 50 yuan; the order stands after a week.
TERMS: Final = {"minimum_minor": 5_000, "referrer_points": 100, "referee_points": 50}


def seen(kind: IdentityKind, value: str) -> Identity:
    """An identity as the API tells it."""
    return hashed(IDENTITY_KEY, PROGRAM_ID, kind, value)


class Club(Mall):
    """A mall with a policy for referrals."""

    def __init__(self, *, terms: dict[str, Any] | None = None, **settings: Any) -> None:
        super().__init__(**({"point_value_bp": POINT_VALUE_BP, "rules": ()} | settings))
        self.promise(**(TERMS if terms is None else terms))

    def promise(self, **terms: Any) -> ReferralPolicy:
        """Save a policy of these terms, and the defaults of all others."""
        return self.run(SaveReferralPolicy(policy=ReferralPolicy(id=PROGRAM_ID, program_id=PROGRAM_ID, **terms)))

    def code(self, member_id: UUID) -> str:
        """The member's code, made if it has none."""
        return self.run(MakeReferralCode(member=ref(member_id))).code.code

    def bind(self, friend: UUID, referrer: UUID, *identified: Identity) -> Bound:
        code = self.code(referrer)
        return self.run(BindReferral(member=ref(friend), code=code, identified=identified))

    def bring(self, referrer: UUID, *identified: Identity, **profile: Any) -> UUID:
        """A new member, brought by another."""
        told = Profile(external_id=f"friend-{self.number}", **profile)
        code = self.code(referrer)
        command = EnrollMember(profile=told, referral_code=code, identified=identified)
        return self.run(command).member.id

    def pair(self) -> tuple[UUID, UUID]:
        """A referrer, and the friend it brought."""
        referrer = self.enroll()
        return referrer, self.bring(referrer)

    def referral(self, friend: UUID) -> Referral:
        """The referral by which a member came."""
        (found,) = (row for row in self.state.rows(Referral) if row.referee_id == friend)
        return found

    def code_row(self, code: str) -> ReferralCode:
        """The row of a code."""
        (found,) = (row for row in self.state.rows(ReferralCode) if row.code == code)
        return found

    def purchase(self, purchase_id: UUID) -> Purchase:
        return self.row(Purchase, purchase_id)

    def state_of(self, friend: UUID) -> ReferralState:
        """Its state as of now."""
        return self.referral(friend).state_at(self.now)

    def settle_referral(self, friend: UUID) -> Decided:
        return self.run(SettleReferral(referral_id=self.referral(friend).id))

    def review(self, friend: UUID, *, is_approved: bool) -> Decided:
        command = ReviewReferral(referral_id=self.referral(friend).id, is_approved=is_approved, reason="looked at")
        return self.run(command, actor="operator:li")

    def share(self, member_id: UUID, target: str = "/tea", kind: ShareKind = ShareKind.PAGE) -> Shared:
        return self.run(CreateShare(member=ref(member_id), kind=kind, target=target))

    def visit(self, shared: Shared, visitor: str, member_id: UUID | None = None) -> Visited:
        return self.run(
            VisitShare(
                code=shared.code.code,
                visitor=seen(IdentityKind.DEVICE, visitor),
                member=None if member_id is None else ref(member_id),
            )
        )

    def visits(self, shared: Shared, visitors: Iterable[str]) -> list[bool]:
        """Which of these visits counted."""
        return [self.visit(shared, visitor).is_counted for visitor in visitors]


def order_of(club: Club, friend: object) -> Purchase:
    """The purchase with which a friend qualified."""
    (found,) = (row for row in club.state.rows(Purchase) if row.referral_id is not None and row.member_id == friend)
    return found
