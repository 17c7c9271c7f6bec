"""Members in the API: who they are, and what they have."""

from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry

from api import access, connections, ids, payloads, scalars, segments, shapes
from api.access import CallerKind
from api.check_ins import finding
from api.connections import Connection
from api.context import Context, Info
from api.errors import ApiError, ErrorCode
from api.inputs import MemberRefInput
from api.points.account import HOLD_KEYSET, SPEND_KEYSET, ExpiringPoints, Hold, Lot, PointsAccount, PointTransaction
from api.segments import Segment
from api.stores import Store
from api.tiers import TierChange, TierProgress
from domain import checks, members, references, stores
from domain.access import Scope
from domain.kernel import Refusal
from domain.points import account, reading
from domain.referrals import code
from domain.stores import Channel
from persistence import activities as stored_activities
from persistence import challenges as stored_challenges
from persistence import check_ins as stored_check_ins
from persistence import flash_sales as stored_flash_sales
from persistence import group_deals as stored_group_deals
from persistence import lotteries as stored_lotteries
from persistence import members as stored
from persistence import points as stored_points
from persistence import purchases as stored_purchases
from persistence import redemptions as stored_redemptions
from persistence import referrals as stored_referrals
from persistence import tiers as stored_tiers
from persistence import vouchers as stored_vouchers

# A member is shown by whichever of its rows is at hand: what a mutation answers needs no further query for the figures.
Known = members.Member | account.PointsAccount
# These know members, so they can be named here only by where they will be.
LaterPurchase = Annotated["Purchase", strawberry.lazy("api.purchases.purchase")]  # type: ignore[name-defined]  # noqa: F821
LaterActivity = Annotated["Activity", strawberry.lazy("api.activities")]  # type: ignore[name-defined]  # noqa: F821
LaterClaim = Annotated["Claim", strawberry.lazy("api.flash_sales.claim")]  # type: ignore[name-defined]  # noqa: F821
LaterRedemption = Annotated["Redemption", strawberry.lazy("api.redemptions")]  # type: ignore[name-defined]  # noqa: F821
LaterCheckIns = Annotated["CheckIns", strawberry.lazy("api.check_ins.standing")]  # type: ignore[name-defined]  # noqa: F821
LaterDraw = Annotated["Draw", strawberry.lazy("api.lotteries.draw")]  # type: ignore[name-defined]  # noqa: F821
LaterTicket = Annotated["LotteryTicket", strawberry.lazy("api.lotteries.draw")]  # type: ignore[name-defined]  # noqa: F821
LaterProgress = Annotated["ChallengeProgress", strawberry.lazy("api.challenges.challenge")]  # type: ignore[name-defined]  # noqa: F821
LaterBadge = Annotated["MemberBadge", strawberry.lazy("api.badges")]  # type: ignore[name-defined]  # noqa: F821
LaterReferral = Annotated["Referral", strawberry.lazy("api.referrals.referral")]  # type: ignore[name-defined]  # noqa: F821
LaterReferralCode = Annotated["ReferralCode", strawberry.lazy("api.referrals.codes")]  # type: ignore[name-defined]  # noqa: F821
LaterShare = Annotated["Share", strawberry.lazy("api.referrals.sharing")]  # type: ignore[name-defined]  # noqa: F821
LaterSeat = Annotated["DealSeat", strawberry.lazy("api.group_deals.group")]  # type: ignore[name-defined]  # noqa: F821
LaterVoucher = Annotated["Voucher", strawberry.lazy("api.vouchers.voucher")]  # type: ignore[name-defined]  # noqa: F821

_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


@shapes.shape()
class Consent:
    """What a member agreed to, or no longer agrees to, per purpose."""

    purpose: str
    is_granted: bool
    version: str = strawberry.field(description="Of the text that the member was shown.")
    at: datetime


def _profile(attribute: str, policy: access.Requires = _PERSONAL) -> Any:
    def resolve(parent: strawberry.Parent[Any], info: Info) -> Any:
        if isinstance(parent, members.Member):
            return getattr(parent, attribute)
        return _later(info.context.loaders.row(members.Member, parent.id), attribute)

    return access.resolved_by(policy, resolve)


async def _later(row: Awaitable[members.Member | None], attribute: str) -> Any:
    return getattr(await row, attribute)


def _store(parent: strawberry.Parent[Any], info: Info) -> Any:
    if isinstance(parent, members.Member) and parent.store_id is None:
        return None
    return _store_later(parent.id, info.context)


async def _store_later(member_id: UUID, context: Context) -> stores.Store | None:
    member = await context.loaders.row(members.Member, member_id)
    if member is None or member.store_id is None:
        return None
    return await context.loaders.row(stores.Store, member.store_id)


def _account(parent: strawberry.Parent[Any], info: Info) -> Any:
    context = info.context
    if isinstance(parent, account.PointsAccount) and not reading.is_due(parent, context.now):
        return parent
    return context.loaders.account(parent.id)


async def _segments(parent: strawberry.Parent[Any], info: Info) -> Any:
    found = await info.context.loaders.segments_of(parent.id)
    # No connection, but rows of a list all the same, of which a request may have so many in all.
    info.context.take_nodes(len(found))
    return found


async def _rewarded_referrals(parent: strawberry.Parent[Any], info: Info) -> Any:
    return await info.context.loaders.keyed(stored_referrals.rewarded, parent.id) or 0


async def _tier_progress(parent: strawberry.Parent[Any], info: Info) -> Any:
    loaders = info.context.loaders
    ledger, program, ladder = (
        await loaders.ledger(parent.id, counts=True),
        await loaders.program(),
        await loaders.ladder(),
    )
    assert ledger is not None, "a member has an account"
    return reading.tier_progress(ledger, program, ladder, info.context.now)


async def _lots(
    parent: strawberry.Parent[Any], info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
) -> Any:
    part = connections.asked(info.context, SPEND_KEYSET, first, after)
    ledger = await info.context.loaders.ledger(parent.id)
    return connections.page_of_all(reading.shown_lots(ledger) if ledger else (), SPEND_KEYSET, part)


async def _holds(
    parent: strawberry.Parent[Any], info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
) -> Any:
    part = connections.asked(info.context, HOLD_KEYSET, first, after)
    ledger = await info.context.loaders.ledger(parent.id)
    holds = sorted(ledger.holds, key=HOLD_KEYSET.place) if ledger else []
    return connections.page_of_all(holds, HOLD_KEYSET, part)


async def _expiring_points(parent: strawberry.Parent[Any], info: Info, within: int) -> Any:
    context = info.context
    ledger, program = await context.loaders.ledger(parent.id), await context.loaders.program()
    try:
        return reading.expiring(ledger, within, program.time_zone, context.now) if ledger else ()
    except Refusal as refusal:
        raise ApiError(refusal.message, ErrorCode.BAD_USER_INPUT) from None


async def _check_ins(parent: strawberry.Parent[Any], info: Info, activity: str) -> Any:
    return await finding.of_code(info.context, parent.id, activity)


async def _make_up_cards(parent: strawberry.Parent[Any], info: Info) -> Any:
    return await info.context.loaders.keyed(stored_check_ins.cards_of, parent.id) or 0


@shapes.shape(members.Member, account.PointsAccount)
class Member(shapes.Node):
    """A person enrolled in the program. The four keys external id, phone, card number and e-mail are unique in it."""

    external_id: str | None = _profile("external_id")
    phone: str | None = _profile("phone")
    card_number: str | None = _profile("card_number")
    email: str | None = _profile("email")
    name: str | None = _profile("name")
    birthday: date | None = _profile("birthday")
    gender: members.Gender | None = _profile("gender")
    attributes: scalars.JSONObject = _profile("attributes")
    tags: list[str] = _profile("tags", access.staff(Scope.MEMBERS_READ))
    consents: list[Consent] = _profile("consents")
    channel: Channel = _profile("channel")
    enrolled_at: datetime = _profile("enrolled_at")
    store: Store | None = access.resolved_by(_PERSONAL, _store)
    segments: list[Segment] = access.resolved_by(
        access.staff(Scope.MEMBERS_READ), _segments, description="Those that the member is in now, the oldest first."
    )
    account: PointsAccount = strawberry.field(resolver=_account)
    tier_progress: TierProgress = access.resolved_by(
        _PERSONAL, _tier_progress, description="Where the member stands, and what is missing to keep its tier or rise."
    )
    tier_history: Connection[TierChange] = connections.family(
        stored_tiers.history_of, stored_tiers.HISTORY_KEYSET, _PERSONAL, description="The latest first."
    )
    point_transactions: Connection[PointTransaction] = connections.family(
        stored_points.transactions_of, stored_points.TRANSACTION_KEYSET, _PERSONAL, description="The latest first."
    )
    lots: Connection[Lot] = access.resolved_by(
        _PERSONAL, _lots, description="Lots with points left, those that are spent first in front."
    )
    holds: Connection[Hold] = access.resolved_by(_PERSONAL, _holds, description="Open holds, by when they lapse.")
    expiring_points: list[ExpiringPoints] = access.resolved_by(
        _PERSONAL, _expiring_points, description="Every bucket of available points that expires within so many days."
    )
    purchases: Connection[LaterPurchase] = connections.family(
        stored_purchases.of_members, stored_purchases.KEYSET, _PERSONAL, description="The latest first."
    )
    activities: Connection[LaterActivity] = connections.family(
        stored_activities.of_members, stored_activities.KEYSET, _PERSONAL, description="The latest first."
    )
    claims: Connection[LaterClaim] = connections.family(
        stored_flash_sales.of_members,
        stored_flash_sales.NEWEST,
        _PERSONAL,
        description="Of flash sales, the latest first.",
    )
    redemptions: Connection[LaterRedemption] = connections.family(
        stored_redemptions.of_members, stored_redemptions.KEYSET, _PERSONAL, description="The latest first."
    )
    referral_code: LaterReferralCode | None = access.resolved_by(
        _PERSONAL, shapes.linking(code.ReferralCode, "id"), description="Made by `referralCodeCreate`; null before."
    )
    referrals: Connection[LaterReferral] = connections.family(
        stored_referrals.of_referrers,
        stored_referrals.KEYSET,
        _PERSONAL,
        description="Friends it brought, latest first.",
    )
    rewarded_referrals: int = access.resolved_by(
        _PERSONAL, _rewarded_referrals, description="How many of the friends it brought were rewarded."
    )
    shares: Connection[LaterShare] = connections.family(
        stored_referrals.shares_of, stored_referrals.SHARE_KEYSET, _PERSONAL, description="The latest first."
    )
    deal_seats: Connection[LaterSeat] = connections.family(
        stored_group_deals.of_members,
        stored_group_deals.SEAT_KEYSET,
        _PERSONAL,
        description="Seats in groups, the latest first.",
    )
    vouchers: Connection[LaterVoucher] = connections.family(
        stored_vouchers.of_members, stored_vouchers.KEYSET, _PERSONAL, description="The latest first."
    )
    check_ins: LaterCheckIns | None = access.resolved_by(
        _PERSONAL, _check_ins, description="The member in the check-in activity with this code; null if there is none."
    )
    make_up_cards: int = access.resolved_by(_PERSONAL, _make_up_cards, description="For days that were missed.")
    draws: Connection[LaterDraw] = connections.family(
        stored_lotteries.draws_of_members, stored_lotteries.LATEST_DRAW, _PERSONAL, description="The latest first."
    )
    lottery_tickets: Connection[LaterTicket] = connections.family(
        stored_lotteries.tickets_of_members, stored_lotteries.LATEST_TICKET, _PERSONAL, description="The latest first."
    )
    challenges: Connection[LaterProgress] = connections.family(
        stored_challenges.progress_of,
        stored_challenges.PROGRESS_KEYSET,
        _PERSONAL,
        description="Progress in every period that was begun, the latest first.",
    )
    badges: Connection[LaterBadge] = connections.family(
        stored_challenges.badges_of,
        stored_challenges.BADGES_KEYSET,
        _PERSONAL,
        description="Those that the member wears, the latest first.",
    )


@shapes.given()
class MemberFilterInput:
    """Which members: those for whom everything that is told holds."""

    tier_id: strawberry.ID | None = None
    status: account.AccountStatus | None = None
    channel: Channel | None = None
    store_id: strawberry.ID | None = None
    tag: str | None = None
    segment: str | None = strawberry.field(default=None, description="The code of a segment that they are in now.")


@shapes.shape()
class MemberQueries:
    """What can be asked about members."""

    @access.field(access.only(CallerKind.MEMBER))
    async def me(self, info: Info) -> Member | None:
        """The member who asks."""
        return shapes.as_shape(Member, await info.context.loaders.row(members.Member, info.context.caller.id))

    @access.field(_PERSONAL)
    async def member(self, info: Info, ref: MemberRefInput) -> Member | None:
        """A member by one of its keys; null if there is none, and to a member if it is another."""
        try:
            found = await find_member(info.context, ref.ref())
        except Refusal:
            return None
        is_another = found is not None and info.context.caller.is_member and found.id != info.context.caller.id
        return None if is_another else shapes.as_shape(Member, found)

    @access.field(access.staff(Scope.MEMBERS_READ))
    async def members(
        self,
        info: Info,
        filter: MemberFilterInput | None = None,  # noqa: A002
        search: str | None = None,
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[Member]:
        """Members, the last enrolled first. `search` is a key as it is written, or a part of the name.

        With a segment, one request looks through 5,000 members: a page may show fewer than `first`, or none, and have
        a next one, which looks on. A tier, store or segment that the program does not have is refused.
        """
        part = connections.asked(info.context, stored.KEYSET, first, after)
        given = filter or MemberFilterInput()
        try:
            which = await which_members(info.context, given, search or None)
        except Refusal as refusal:
            raise ApiError(payloads.user_error(refusal).message, ErrorCode.BAD_USER_INPUT) from None
        if which is not None and given.segment is not None:
            return await segments.members_in(info.context, given.segment, which, part)
        found = [] if which is None else await stored.page(info.context.caller.program_id, which, part)
        return connections.page(found, stored.KEYSET, part)


async def find_member(context: Context, ref: members.MemberRef) -> members.Member | None:
    """The member that is named; None if there is none."""
    if ref.id is not None:
        return await context.loaders.row(members.Member, ref.id)
    told = {key: value for key in ("external_id", "phone", "card_number") if (value := getattr(ref, key)) is not None}
    for key, value in told.items():
        found: members.Member | None = await context.loaders.keyed(stored.named, (key, value))
        return found
    return None


async def which_members(context: Context, given: MemberFilterInput, search: str | None) -> stored.Filter | None:
    """The filter for the store; None if nobody can match it.

    Refuses what it names and the program does not have: a tier, a store, a segment.
    """
    loaders = context.loaders
    tier_id = ids.optional("Tier", given.tier_id, "filter.tierId")
    if tier_id is not None and tier_id not in {tier.id for tier in await loaders.ladder()}:
        raise references.unknown("tier", str(tier_id), (), field="filter.tierId")
    store_id = ids.optional("Store", given.store_id, "filter.storeId")
    if store_id is not None and await loaders.row(stores.Store, store_id) is None:
        raise references.unknown("store", str(store_id), (), field="filter.storeId")
    if given.segment is not None:
        await segments.require(context, given.segment)
    try:
        return stored.Filter(
            search=checks.optional_text("search", search),
            tier_id=tier_id,
            status=given.status,
            channel=given.channel,
            store_id=store_id,
            tag=checks.optional_text("tag", given.tag),
        )
    except Refusal:
        return None
