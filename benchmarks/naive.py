"""The usual way, as most would write it with the ORM: one transaction a request. The reference for the engine."""

from datetime import UTC, datetime
from uuid import UUID

from tortoise.transactions import in_transaction

from domain.claims import ClaimState
from domain.points.account import LotState, PointType, SourceType, TransactionKind
from domain.redemptions.redemption import RedemptionOrigin, RedemptionState
from domain.stores import Channel
from persistence import clock
from persistence.flash_sales import ClaimTable, FlashSaleItemTable, FlashSaleStockTable, FlashSaleTable
from persistence.members import MemberTable
from persistence.points import (
    LotDrawTable,
    LotTable,
    PointsAccountTable,
    PointTransactionTable,
    QualifyingEntryTable,
)
from persistence.purchases import PurchaseTable
from persistence.receipts import OutboxTable, ReceiptTable
from persistence.redemptions import RedemptionTable
from persistence.rewards import RewardStockTable, RewardTable

_ids = clock.Ids()


def _id() -> UUID:
    return UUID(int=_ids.next_first(clock.now()) + 1)


async def record_purchase(program_id: UUID, external_member: str, external_id: str, key: str) -> None:
    """Look up, lock, insert purchase, transaction and lot, update the balance, keep receipt and event."""
    async with in_transaction():
        now = datetime.now(UTC)
        if await ReceiptTable.get_or_none(id=_id()) is not None:
            return
        member = await MemberTable.get(program_id=program_id, external_id=external_member)
        if await PurchaseTable.get_or_none(program_id=program_id, external_id=external_id) is not None:
            return
        account = await PointsAccountTable.select_for_update().get(program_id=program_id, id=member.id)
        purchase = await _purchase(program_id, member.id, external_id)
        await _post(account, 199, TransactionKind.EARN, SourceType.PURCHASE, purchase.id, key)
        await QualifyingEntryTable.create(
            id=_id(),
            program_id=program_id,
            member_id=member.id,
            year_id=member.id,
            day=now.date(),
            points=199,
            spend_minor=19_990,
            purchases=1,
        )
        await _receipt(program_id, key, now)
        await OutboxTable.create(
            id=_id(), program_id=program_id, name="PurchaseRecorded", member_id=member.id, body={}, recorded_at=now
        )


async def _purchase(program_id: UUID, member_id: UUID, external_id: str) -> PurchaseTable:
    now = datetime.now(UTC)
    return await PurchaseTable.create(
        id=_id(),
        program_id=program_id,
        member_id=member_id,
        external_id=external_id,
        channel=Channel.ONLINE,
        amount_minor=19_990,
        freight_minor=0,
        offset_minor=0,
        lines=[{"number": 1, "amount_minor": 19_990, "quantity": 1}],
        voucher_ids=[],
        discount_minor=0,
        freight_discount_minor=0,
        points_spent=0,
        rule_version=1,
        multiplier_bp=10_000,
        discount_bp=0,
        earned=[{"rule": "base", "points": 199, "requested": 199}],
        points_earned=199,
        refunded_minor=0,
        points_clawed=0,
        points_returned=0,
        occurred_at=now,
        recorded_at=now,
        actor="bench",
    )


async def redeem(program_id: UUID, member_id: UUID, reward_id: UUID, key: str) -> bool:
    """Lock account and stock, take one, draw points from the first lot, insert redemption. False if sold out."""
    async with in_transaction():
        now = datetime.now(UTC)
        if await ReceiptTable.get_or_none(id=_id()) is not None:
            return True
        account = await PointsAccountTable.select_for_update().get(program_id=program_id, id=member_id)
        reward = await RewardTable.get(program_id=program_id, id=reward_id)
        stock = await RewardStockTable.select_for_update().get(program_id=program_id, id=reward_id)
        if not stock.left:
            return False
        stock.left -= 1
        await stock.save(update_fields=["left"])
        lots = await LotTable.filter(program_id=program_id, member_id=member_id, state=LotState.ACTIVE)
        redemption_id = _id()
        transaction_id = await _post(
            account, -reward.points, TransactionKind.REDEEM, SourceType.REDEMPTION, redemption_id, key
        )
        lot = lots[0]
        lot.remaining -= reward.points
        await lot.save(update_fields=["remaining"])
        await LotDrawTable.create(
            id=_id(), program_id=program_id, transaction_id=transaction_id, lot_id=lot.id, amount=reward.points
        )
        await RedemptionTable.create(
            id=redemption_id,
            program_id=program_id,
            member_id=member_id,
            reward_id=reward_id,
            quantity=1,
            points=reward.points,
            cash_minor=0,
            state=RedemptionState.PLACED,
            fulfilled=0,
            cancelled=0,
            returned=0,
            transaction_id=transaction_id,
            origin=RedemptionOrigin.REWARD,
            channel=Channel.ONLINE,
            placed_at=now,
            actor="bench",
        )
        await _receipt(program_id, key, now)
        await OutboxTable.create(
            id=_id(), program_id=program_id, name="RewardRedeemed", member_id=member_id, body={}, recorded_at=now
        )
    return True


async def claim(program_id: UUID, external_member: str, item_id: UUID, key: str) -> bool:
    """Look up, lock account and stock, count the member's claims, take a unit, insert claim and redemption.

    False if sold out.
    """
    async with in_transaction():
        now = datetime.now(UTC)
        if await ReceiptTable.get_or_none(id=_id()) is not None:
            return True
        member = await MemberTable.get(program_id=program_id, external_id=external_member)
        item = await FlashSaleItemTable.get(program_id=program_id, id=item_id)
        sale = await FlashSaleTable.get(program_id=program_id, id=item.sale_id)
        if not sale.starts_at <= now < sale.ends_at:
            return False
        stock = await FlashSaleStockTable.select_for_update().get(program_id=program_id, item_id=item_id)
        if stock.sold + stock.held >= stock.total:
            return False
        account = await PointsAccountTable.select_for_update().get(program_id=program_id, id=member.id)
        if await ClaimTable.filter(program_id=program_id, member_id=member.id, item_id=item_id).count():
            return False
        stock.sold += 1
        await stock.save(update_fields=["sold"])
        redemption_id = await _spend(account, item.points, item.reward_id, key)
        await ClaimTable.create(
            id=_id(),
            program_id=program_id,
            member_id=member.id,
            sale_id=sale.id,
            item_id=item.id,
            opens_at=sale.starts_at,
            stock_id=stock.id,
            points=item.points,
            cash_minor=0,
            state=ClaimState.CONFIRMED,
            redemption_id=redemption_id,
            channel=Channel.ONLINE,
            claimed_at=now,
            actor="bench",
        )
        await _receipt(program_id, key, now)
        await OutboxTable.create(
            id=_id(), program_id=program_id, name="FlashSaleClaimed", member_id=member.id, body={}, recorded_at=now
        )
    return True


async def _spend(account: PointsAccountTable, points: int, reward_id: UUID, key: str) -> UUID:
    """Draw points from the first lot, and insert the redemption that they pay for."""
    lots = await LotTable.filter(program_id=account.program_id, member_id=account.id, state=LotState.ACTIVE)
    redemption_id = _id()
    transaction_id = await _post(account, -points, TransactionKind.REDEEM, SourceType.REDEMPTION, redemption_id, key)
    lot = lots[0]
    lot.remaining -= points
    await lot.save(update_fields=["remaining"])
    await LotDrawTable.create(
        id=_id(), program_id=account.program_id, transaction_id=transaction_id, lot_id=lot.id, amount=points
    )
    await RedemptionTable.create(
        id=redemption_id,
        program_id=account.program_id,
        member_id=account.id,
        reward_id=reward_id,
        quantity=1,
        points=points,
        cash_minor=0,
        state=RedemptionState.PLACED,
        fulfilled=0,
        cancelled=0,
        returned=0,
        transaction_id=transaction_id,
        origin=RedemptionOrigin.FLASH_SALE,
        origin_id=redemption_id,
        channel=Channel.ONLINE,
        placed_at=datetime.now(UTC),
        actor="bench",
    )
    return redemption_id


async def _post(
    account: PointsAccountTable, points: int, kind: TransactionKind, source: SourceType, source_id: UUID, key: str
) -> UUID:
    now = datetime.now(UTC)
    account.available += points
    account.sequence += 1
    await account.save(update_fields=["available", "sequence"])
    transaction = await PointTransactionTable.create(
        id=_id(),
        program_id=account.program_id,
        member_id=account.id,
        sequence=account.sequence,
        point_type=PointType.SPENDABLE,
        kind=kind,
        amount=points,
        available_after=account.available,
        source_type=source,
        source_id=source_id,
        rule="base" if points > 0 else "",
        idempotency_key=key,
        actor="bench",
        occurred_at=now,
        recorded_at=now,
    )
    if points > 0:
        await LotTable.create(
            id=_id(),
            program_id=account.program_id,
            member_id=account.id,
            transaction_id=transaction.id,
            source_type=source,
            source_id=source_id,
            amount=points,
            remaining=points,
            held=0,
            state=LotState.ACTIVE,
            available_at=now,
            expires_when_idle=False,
            earned_at=now,
        )
    key_id: UUID = transaction.id
    return key_id


async def _receipt(program_id: UUID, key: str, now: datetime) -> None:
    await ReceiptTable.create(
        id=_id(),
        program_id=program_id,
        actor="bench",
        idempotency_key=key,
        command="bench",
        input_hash=b"0" * 32,
        result={},
        recorded_at=now,
    )
