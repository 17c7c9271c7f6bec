"""The demo program: a small shop with something of everything, made in a database that holds no program yet."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from api import banner, minting, passwords, presets
from api.banner import DemoAccess
from api.founding import making
from domain.access import CreateApiKey, CreateOperator, KeyKind, Role, Scope
from domain.enrollments import EnrollMember
from domain.kernel import Command
from domain.lotteries.saving import PublishLottery
from domain.members import Gender, MemberRef, Profile
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import CreateProgram, Program, ProgramSettings
from domain.purchases.recording import RecordPurchase
from domain.purchases.refund import PurchaseRef, RefundPurchase
from domain.redemptions.placing import RedeemReward
from domain.rewards.commands import CreateReward, RewardTerms
from domain.rewards.reward import RewardKind
from domain.stores import Channel, CreateStore
from domain.vouchers.pool import CreateVoucherPool, Supply, VoucherPool
from domain.vouchers.template import CreateVoucherTemplate, VoucherKind, VoucherTerms
from persistence import access, founding
from persistence.engine import Engine, Result
from persistence.startup import StartupError

# The same everywhere, so that whoever finds the program knows that it is this one.
PROGRAM_ID: Final = UUID("01941f29-7c00-7000-8000-0000000de300")
NAME: Final = "Tessera Demo"
CURRENCY: Final = "CNY"
OPERATOR_EMAIL: Final = "owner@example.com"
_ACTOR: Final = "seed"
_HINT_LENGTH: Final = 4

SETTINGS: Final = ProgramSettings(
    sign_up_points=100,
    expiry=ExpiryPolicy(kind=ExpiryKind.END_OF_YEAR, count=1),
    point_value_bp=100_000,
    tier_policy=presets.TIER_POLICY,
    categories=presets.CATEGORIES,
)
STORES: Final = (
    CreateStore(code="SH-01", name="上海南京路店"),
    CreateStore(code="HZ-01", name="杭州湖滨店"),
    CreateStore(code="WEB", name="官网商城"),
)
# 100 points are a voucher of 10 yuan, good for 30 days.
VOUCHER: Final = CreateVoucherTemplate(
    code="VOUCHER-10",
    name="10 元优惠券",
    terms=VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000, days=30),
)
VOUCHER_REWARD: Final = CreateReward(code="VOUCHER-10", name="10 元优惠券", points=100)
REWARDS: Final = (
    CreateReward(code="TRIAL-KIT", name="新品试用装", points=500, stock=50, limit_per_member=1),
    CreateReward(code="AIRPODS-CASE", name="AirPods 保护套", points=2999, stock=200),
    CreateReward(code="POWER-BANK", name="移动电源", points=8999, stock=100, limit_per_member=1),
)


def _member(number: int, name: str, gender: Gender, birthday: date, channel: Channel, *tags: str) -> EnrollMember:
    profile = Profile(
        external_id=f"demo-{number}",
        phone=f"+861380000000{number}",
        email=f"member{number}@example.com",
        name=name,
        gender=gender,
        birthday=birthday,
        tags=tags,
    )
    return EnrollMember(profile=profile, channel=channel)


MEMBERS: Final = (
    _member(1, "李娜", Gender.FEMALE, date(1988, 3, 14), Channel.IN_STORE, "VIP"),
    _member(2, "王伟", Gender.MALE, date(1992, 11, 2), Channel.ONLINE, "摄影"),
    _member(3, "张敏", Gender.FEMALE, date(1995, 7, 21), Channel.ONLINE),
    _member(4, "刘洋", Gender.MALE, date(2001, 1, 30), Channel.IN_STORE),
    _member(5, "陈静", Gender.FEMALE, date(1979, 9, 9), Channel.PHONE),
    _member(6, "赵磊", Gender.MALE, date(1985, 12, 5), Channel.ONLINE, "企业"),
)
# How many days before the program was made everybody joined.
MEMBER_DAYS: Final = 180
# Whose, how many days before the program was made, its amount in minor units, and the code of the store.
PURCHASES: Final = (
    ("demo-1", 150, 329_900, "SH-01"),
    ("demo-1", 80, 219_900, "WEB"),
    ("demo-1", 12, 89_900, "SH-01"),
    ("demo-2", 60, 128_000, "WEB"),
    ("demo-2", 20, 39_990, "HZ-01"),
    ("demo-3", 30, 26_800, "WEB"),
    ("demo-4", 3, 9_990, "HZ-01"),
    ("demo-6", 45, 560_000, "WEB"),
    ("demo-6", 1, 12_800, "WEB"),
)
REDEMPTIONS: Final = (("demo-1", "AIRPODS-CASE"), ("demo-2", "VOUCHER-10"))
REFUND: Final = RefundPurchase(
    purchase=PurchaseRef(external_id="DEMO-1006"), external_id="R1", amount_minor=10_000, reason="退回一件"
)


async def ensure(engine: Engine, data_dir: Path) -> bool:
    """Make the demo program if the database holds no program. Whether it is there.

    Processes that start together make it once; one that was interrupted is completed. The credentials are kept, in
    clear, only in `data_dir`. Raises `StartupError` if they cannot be.
    """
    if await _is_wanted():
        async with founding.one_at_a_time(engine.connect):
            # Another process may have made it while we waited.
            if await _is_wanted():
                await _make(engine, _credentials(data_dir))
    return await _is_whole()


async def _is_wanted() -> bool:
    oldest = await founding.programs(1)
    if not oldest:
        return True
    return oldest[0].id == PROGRAM_ID and not await _is_whole()


async def _is_whole() -> bool:
    # The operator is what is made last.
    return await access.find_operator(PROGRAM_ID, OPERATOR_EMAIL) is not None


def _credentials(data_dir: Path) -> DemoAccess:
    """Credentials that are kept already, or new ones: kept before they are used, so that no crash loses them."""
    known = banner.recall(data_dir)
    if known is not None:
        return known
    made = DemoAccess(
        publishable_key=minting.new_key(KeyKind.PUBLISHABLE, PROGRAM_ID).secret,
        secret_key=minting.new_key(KeyKind.SECRET, PROGRAM_ID).secret,
        operator_email=OPERATOR_EMAIL,
        operator_password=making.new_password(),
    )
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        banner.keep(made, data_dir)
    except OSError as error:
        raise StartupError(f"The demo program's keys cannot be kept in {data_dir}: {error.strerror}.") from error
    return made


async def _make(engine: Engine, credentials: DemoAccess) -> None:
    """Tell every command with a key of its own, so that telling them again after a crash makes nothing twice."""
    program = await _tell(
        engine, "program", CreateProgram(program_id=PROGRAM_ID, name=NAME, currency_code=CURRENCY, settings=SETTINGS)
    )
    await asyncio.gather(*(_tell(engine, f"tier:{tier.name}", tier) for tier in presets.TIERS))
    stores = await asyncio.gather(*(_tell(engine, f"store:{store.code}", store) for store in STORES))
    pool = await _voucher_pool(engine)
    vouchers = replace(VOUCHER_REWARD, terms=RewardTerms(kind=RewardKind.VOUCHER, pool_id=pool.id))
    offered = (vouchers, *REWARDS)
    made = await asyncio.gather(*(_tell(engine, f"reward:{reward.code}", reward) for reward in offered))
    await _tell(engine, "rules", presets.demo(program.created_at, program.time_zone))
    await _reasons_to_come_back(engine, program, pool)
    # They joined before they bought, so that every purchase earns by the tier of its own time.
    joined = program.created_at - timedelta(days=MEMBER_DAYS)
    members = [replace(member, enrolled_at=joined) for member in MEMBERS]
    await asyncio.gather(*(_tell(engine, f"member:{member.profile.external_id}", member) for member in members))
    await _trade(
        engine,
        program,
        stores={store.code: store.id for store in stores},
        rewards={stocked.reward.code: stocked.reward.id for stocked in made},
    )
    await _let_in(engine, credentials)


async def _voucher_pool(engine: Engine) -> VoucherPool:
    """A pool of the voucher, which makes as many as are asked for."""
    template = await _tell(engine, f"template:{VOUCHER.code}", VOUCHER)
    pool = CreateVoucherPool(template_id=template.id, name=template.name, supply=Supply.ON_DEMAND)
    return await _tell(engine, f"pool:{VOUCHER.code}", pool)


async def _reasons_to_come_back(engine: Engine, program: Program, pool: VoucherPool) -> None:
    await _tell(engine, "check-ins", presets.CHECK_IN)
    await _tell(engine, "referrals", presets.referrals(PROGRAM_ID))
    await _tell(engine, "board", presets.BOARD)
    await _tell(engine, "challenge", presets.CHALLENGE)
    wheel = await _tell(engine, "wheel", presets.wheel(pool.id, program.created_at))
    await _tell(engine, "wheel:publish", PublishLottery(lottery_id=wheel.id))


async def _trade(engine: Engine, program: Program, *, stores: dict[str, UUID], rewards: dict[str, UUID]) -> None:
    for number, (member, days, amount_minor, store) in enumerate(PURCHASES, start=1001):
        external_id = f"DEMO-{number}"
        purchase = RecordPurchase(
            member=MemberRef(external_id=member),
            external_id=external_id,
            amount_minor=amount_minor,
            currency_code=CURRENCY,
            store_id=stores[store],
            channel=Channel.ONLINE if store == "WEB" else Channel.IN_STORE,
            occurred_at=program.created_at - timedelta(days=days),
        )
        await _tell(engine, external_id, purchase)
    await _tell(engine, "refund", REFUND)
    for member, code in REDEMPTIONS:
        redemption = RedeemReward(member=MemberRef(external_id=member), reward_id=rewards[code])
        await _tell(engine, f"redemption:{member}", redemption)


async def _let_in(engine: Engine, credentials: DemoAccess) -> None:
    publishable, secret = credentials.publishable_key, credentials.secret_key
    await _tell(engine, f"key:{minting.hashed(publishable)}", _key("Storefront", KeyKind.PUBLISHABLE, publishable))
    await _tell(engine, f"key:{minting.hashed(secret)}", _key("Server", KeyKind.SECRET, secret, *Scope))
    operator = CreateOperator(
        email=OPERATOR_EMAIL,
        name="店主",
        password_hash=await passwords.Passwords().hashed(credentials.operator_password),
        role=Role.OWNER,
    )
    await engine.execute(operator, program_id=PROGRAM_ID, actor=_ACTOR)


def _key(name: str, kind: KeyKind, secret: str, *scopes: Scope) -> CreateApiKey:
    return CreateApiKey(
        name=name, kind=kind, secret_hash=minting.hashed(secret), hint=secret[-_HINT_LENGTH:], scopes=scopes
    )


async def _tell(engine: Engine, what: str, command: Command[Result]) -> Result:
    outcome = await engine.execute(command, program_id=PROGRAM_ID, actor=_ACTOR, idempotency_key=f"seed:{what}")
    return outcome.result
