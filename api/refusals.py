"""What the API itself refuses, and the one enumeration of everything that can be refused."""

import enum
from typing import Final

from api import quotes
from domain import access, activities, campaigns, checkout, enrollments, explanations, programs, segments, stores, trade
from domain.achievements import badging, claiming
from domain.check_ins import saving as check_in_saving
from domain.check_ins import signing as check_in_signing
from domain.flash_sales import commands as flash_sale_commands
from domain.flash_sales import ending as flash_sale_ending
from domain.group_deals import editing as deal_editing
from domain.group_deals import joining
from domain.kernel import Refusal
from domain.leaderboards import closing as leaderboard_closing
from domain.leaderboards import commands as leaderboard_commands
from domain.points import commands as points_commands
from domain.points import tiers as tier_commands
from domain.purchases import recording, refund
from domain.quizzes import attempt as quiz_attempts
from domain.redemptions import ending
from domain.referrals import settling, sharing
from domain.rewards import commands as reward_commands
from domain.vouchers import commands as voucher_commands
from persistence import engine


class CredentialsWrong(Refusal):
    """The e-mail address or the password is wrong; which of them is not said."""

    code = "CREDENTIALS_WRONG"
    text = "The e-mail address or the password is wrong."


class PasswordInvalid(Refusal):
    """A password is too short or too long. Details: `length`, `lengthMin`, `lengthMax`."""

    code = "PASSWORD_INVALID"
    text = "A password has {lengthMin} to {lengthMax} characters; this one has {length}."


class RefreshTokenInvalid(Refusal):
    """A refresh token is wrong or expired."""

    code = "REFRESH_TOKEN_INVALID"
    text = "The refresh token is wrong or expired; the shop signs the member in again."


class IdUnknown(Refusal):
    """No id of this kind of thing: malformed, or of another kind. Details: `kind`, `given`."""

    code = "NOT_FOUND"
    text = "{given!r} is no id of a {kind}; ids are taken as they are from this API's answers."


# Whatever can be refused stands in these modules or in what they import.
_MODULES: Final = (
    access,
    activities,
    badging,
    campaigns,
    check_in_saving,
    check_in_signing,
    claiming,
    enrollments,
    explanations,
    flash_sale_commands,
    flash_sale_ending,
    programs,
    segments,
    stores,
    points_commands,
    tier_commands,
    recording,
    refund,
    engine,
    checkout,
    ending,
    quiz_attempts,
    quotes,
    settling,
    sharing,
    reward_commands,
    deal_editing,
    joining,
    trade,
    voucher_commands,
    leaderboard_commands,
    leaderboard_closing,
)


def codes() -> list[str]:
    """The code of every refusal that there is, sorted."""
    kinds, found = [Refusal], set()
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        found.add(kind.code)
    return sorted(found - {Refusal.code})


# A functional enumeration: its members are what the program has, not what somebody remembered to list.
UserErrorCode: Final = enum.StrEnum("UserErrorCode", [(code, code) for code in codes()])  # type: ignore[misc]
