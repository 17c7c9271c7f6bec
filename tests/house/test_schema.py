"""The contract: it is what the code says, every root field has a policy, and every list that is told has a bound."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLType,
)

from api import refusals, schema
from domain.kernel import Refusal

ROOT: Final = Path(__file__).parents[2]
BUILT: Final = schema.build()._schema
# Lists that are no connections, and what bounds the length of each.
PLAIN_LISTS: Final = {
    "CheckIn.attained",  # 20 milestones
    "CheckInActivity.ladder",  # 366 days
    "CheckInActivity.leaders",  # 100
    "CheckInActivity.milestones",  # 20
    "CheckIns.calendar",  # the days of a month
    "CheckIns.missedDays",  # 31
    "NextCheckInReward.milestones",  # 20
    "Query.checkInActivities",  # 20
    "Challenge.requires",  # 10
    "Challenge.steps",  # 10
    "ChallengeProgress.steps",  # those of the challenge
    "ChallengeStanding.steps",
    "ChallengeStep.attributes",  # 20, with the fields
    "ChallengeStep.fields",
    "Query.badges",  # 200
    "Query.challenges",  # 200
    "Quiz.attempts",  # 20
    "Quiz.questions",  # 50
    "Quiz.rewards",  # 20
    "QuizAnswer.options",  # 10
    "QuizAttempt.answers",  # one a question
    "QuizAttempt.questions",  # those of the quiz
    "QuizQuestion.correctOptions",  # of the options
    "QuizQuestion.options",  # 10
    "CheckoutQuote.lines",  # 200
    "Draw.among",  # 50, as the prizes of a lottery
    "DrawVerification.skipped",  # 100
    "Lottery.limits",  # 5, one a period
    "Lottery.odds",  # 50, as the prizes
    "Lottery.prizes",  # 50
    "LotteryAudit.prizes",  # 50
    "LotteryStanding.limits",  # 5
    "LotteryStanding.obstacles",  # one of each condition
    "CheckoutQuote.vouchers",  # 4 groups, or 10 that are chosen
    "Purchase.vouchers",  # 10
    "Reward.categories",  # 20
    "Reward.deliveries",  # 2
    "Reward.limits",  # 4
    "Reward.pictures",  # 20
    "Reward.prices",  # 20
    "Reward.stores",  # 200
    "Reward.translations",  # 20
    "RewardAvailability.obstacles",  # one of each condition
    "VoucherCodesImportPayload.duplicates",  # 1,000 a call
    "VoucherCodesImportPayload.malformed",  # of those
    "VoucherScope.categories",  # 200, as all of a scope
    "VoucherScope.channels",  # those that there are
    "VoucherScope.productIds",
    "VoucherScope.storeIds",
    "VouchersIssuePayload.refusals",  # each reason once
    "ApiKey.scopes",  # the scopes that there are, 13
    "Audience.segments",  # 100, as all of an audience
    "Audience.tags",
    "Audience.tiers",
    "Audience.withoutTags",
    "CalendarDay.campaigns",  # 200 campaigns in all
    "Campaign.rules",  # 1,000 rules in all
    "DealGroup.members",  # 50
    "EarningRule.bands",  # 20
    "EarningRule.caps",  # 5: one for each period
    "EarningRulesReplacePayload.rules",  # 1,000 rules in all
    "FlashSale.headStarts",  # 20
    "FlashSale.items",  # 50
    "FlashSaleAvailability.obstacles",  # one of each condition
    "FlashSaleItem.shares",  # 20
    "Explanation.applied",  # 1,000 rules in all, and two gifts
    "Explanation.segments",  # 200 open segments
    "Explanation.skipped",  # 1,000 rules in all
    "Explanation.tags",  # 50 of a member
    "Leaderboard.prizes",  # 20
    "LeaderboardStandings.standings",  # first, at most 100; around, at most 101
    "Member.consents",  # 20
    "Member.expiringPoints",  # days asked for, 3,650
    "Member.segments",  # 200 open segments
    "Member.tags",  # 50
    "Program.categories",  # 500
    "Program.earningRules",  # 1,000 rules in all
    "Program.rules",  # rules, tiers (100) and the policies
    "Purchase.lines",  # 200
    "PurchasesRecordPayload.results",  # 500 rows
    "Query.calendar",  # 92 days
    "Query.campaigns",  # 200 campaigns in all
    "Query.tiers",  # 100 ranks
    "Referral.signals",  # each kind once
    "ReferralPolicy.caps",  # 2
    "Refund.lines",  # those of the purchase, 200
    "RuleConditions.categories",  # 200, as all lists of conditions
    "RuleConditions.channels",  # the channels that there are, 3
    "RuleConditions.products",
    "RuleConditions.stores",
    "RuleConditions.withoutCategories",
    "RuleConditions.withoutProducts",
    "RuleConditions.withoutStores",
    "Schedule.dates",  # 100
    "Schedule.monthDays",  # 31
    "Schedule.weekdays",  # 7
    "SegmentCriteria.birthdayMonths",  # 12
    "SegmentCriteria.channels",  # 3
    "SegmentCriteria.genders",  # the genders that there are
    "SegmentCriteria.stores",  # 100, as the lists of criteria below
    "SegmentCriteria.tags",
    "SegmentCriteria.tiers",
    "SegmentCriteria.withoutTags",
    "TierBenefits.perks",  # 20
    "UserError.field",  # the depth of an input
}
# What moves points, stock or money, and therefore has an idempotency key.
KEYED: Final = {
    "ActivityRecord",
    "ActivityReverse",
    "ChallengeClaim",
    "CheckInCreate",
    "CheckInMakeUp",
    "FlashSaleClaim",
    "FlashSaleClaimPay",
    "FlashSaleClaimRelease",
    "GroupDealJoin",
    "GroupDealLeave",
    "GroupDealOpen",
    "LotteryChanceGrant",
    "LotteryDraw",
    "LotteryTicketsTake",
    "MakeUpCardGrant",
    "MemberEnroll",
    "OffsetHold",
    "OffsetRelease",
    "PointsAdjust",
    "PointsCapture",
    "PointsHold",
    "PointsRelease",
    "PointsTransfer",
    "PurchaseConfirm",
    "PurchaseRecord",
    "PurchaseRefund",
    "QuizAnswer",
    "RedemptionCancel",
    "RedemptionPay",
    "RedemptionReturn",
    "ReferralBind",
    "ReferralReview",
    "RewardRedeem",
    "ShareCreate",
    "ShareVisit",
    "VoucherClaim",
    "VoucherCodesGenerate",
    "VoucherCodesImport",
    "VoucherGrant",
    "VoucherLock",
    "VoucherRelease",
    "VoucherReturn",
    "VoucherVoid",
    "VouchersIssue",
}


def described(kind: type) -> list[Any]:
    """The types of the contract of one kind, without introspection's."""
    return [found for name, found in BUILT.type_map.items() if isinstance(found, kind) and not name.startswith("__")]


def directives(field: Any) -> set[str]:
    """The directives on a field, by the names of their classes."""
    definition = field.extensions["strawberry-definition"]
    return {type(directive).__name__ for directive in definition.directives}


def holds_list(kind: GraphQLType) -> bool:
    """Whether a type is a list."""
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def arguments() -> Iterator[tuple[str, Any]]:
    """Every place where a client tells something."""
    for kind in described(GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field
    for kind in described(GraphQLObjectType):
        for name, field in kind.fields.items():
            for argument, told in field.args.items():
                yield f"{kind.name}.{name}({argument})", told


def test_the_committed_contract_is_the_code_s() -> None:
    """Write it with `make schema`; a change of it is a change for every client."""
    assert (ROOT / "schema.graphql").read_text() == schema.export()


def test_the_contract_is_written_the_same_every_time() -> None:
    """Sorted, and without a line's end that an editor would take away."""
    first = schema.export()
    assert first == schema.export()
    assert all(line == line.rstrip() for line in first.splitlines())


def test_every_root_field_has_a_policy() -> None:
    """And prints it."""
    for root in (BUILT.query_type, BUILT.mutation_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if "Requires" not in directives(field)] == []


def test_every_list_that_is_told_has_a_bound() -> None:
    """And prints it."""
    unbounded = [name for name, told in arguments() if holds_list(told.type) and "AtMost" not in directives(told)]
    assert unbounded == []


def test_every_list_that_is_shown_is_bounded() -> None:
    """By a connection; or it is one whose length the domain bounds."""
    plain = {
        f"{kind.name}.{name}"
        for kind in described(GraphQLObjectType)
        if not kind.name.endswith("Connection")
        for name, field in kind.fields.items()
        if holds_list(field.type) and name != "userErrors"
    }
    assert plain == PLAIN_LISTS


def test_every_mutation_has_one_input_and_one_payload_of_its_own() -> None:
    """`objectVerb(input: ObjectVerbInput!): ObjectVerbPayload!`, with `userErrors`."""
    assert BUILT.mutation_type is not None
    for name, field in BUILT.mutation_type.fields.items():
        stem = name[0].upper() + name[1:]
        assert list(field.args) == ["input"]
        assert str(field.args["input"].type) == f"{stem}Input!"
        assert str(field.type) == f"{stem}Payload!"
        assert isinstance(field.type, GraphQLNonNull)
        assert str(field.type.of_type.fields["userErrors"].type) == "[UserError!]!"


def test_what_moves_points_stock_or_money_has_an_idempotency_key() -> None:
    """The rest may have one, but for what makes a secret, which is shown once and kept by nobody."""
    required, welcome, absent = set(), set(), set()
    for kind in described(GraphQLInputObjectType):
        name = kind.name.removesuffix("Input")
        if name[0].lower() + name[1:] not in (BUILT.mutation_type.fields if BUILT.mutation_type else {}):
            continue
        key = kind.fields.get("idempotencyKey")
        group = absent if key is None else required if isinstance(key.type, GraphQLNonNull) else welcome
        group.add(name)
    assert required == KEYED
    # Each row of PurchasesRecord has its own.
    assert absent == {
        "ApiKeyCreate",
        "MemberSignIn",
        "MemberTokenCreate",
        "OperatorCreate",
        "OperatorLogin",
        "PurchasesRecord",
    }
    assert len(required | welcome | absent) == len(BUILT.mutation_type.fields if BUILT.mutation_type else {})


def test_every_refusal_has_a_code_in_the_contract() -> None:
    """And every code a refusal; sorted, so that a new one is one new line."""
    kinds, codes = [Refusal], set()
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        codes.add(kind.code)
    shown = BUILT.type_map["UserErrorCode"]
    assert isinstance(shown, GraphQLEnumType)
    # Tests may define refusals of their own.
    assert set(shown.values) == set(refusals.codes()) & set(shown.values)
    assert {code for code in codes if code in refusals.UserErrorCode.__members__} == set(shown.values)
    assert list(shown.values) == sorted(shown.values)


def test_every_type_says_what_it_is() -> None:
    """In the contract itself."""
    for kind in (GraphQLObjectType, GraphQLInputObjectType, GraphQLEnumType, GraphQLInterfaceType):
        assert [found.name for found in described(kind) if not found.description] == []
    for root in (BUILT.query_type, BUILT.mutation_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if not field.description] == []


def test_the_contract_speaks_to_clients() -> None:
    """Not of the numbers under which we keep our semantics."""
    descriptions = [kind.description or "" for kind in BUILT.type_map.values()]
    assert [text for text in descriptions if re.search(r"\b[A-Z]\d+\b", text)] == []
