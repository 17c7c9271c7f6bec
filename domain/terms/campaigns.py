"""The frame of a campaign: when it runs, for whom, and how much it gives."""

from collections.abc import Iterator

from domain.earning.rules import Campaign
from domain.terms import audiences, times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms


def of_campaign(campaign: Campaign, naming: Naming) -> Terms:
    """A campaign on its own, as the calendar of what is coming shows it."""
    return wording.paragraph(sentences(campaign, Terms("{name}活动：{days}", "campaign {name}: {days}"), naming))


def of_frame(campaign: Campaign, naming: Naming) -> Iterator[Terms]:
    """Sentences for a rule that the campaign switches on."""
    return sentences(campaign, Terms("仅限{name}活动：{days}", "only in the campaign {name}: {days}"), naming)


def sentences(campaign: Campaign, template: Terms, naming: Naming) -> Iterator[Terms]:
    """When a campaign runs, told by a template with its `name` and `days`; for whom; and its budget."""
    span = times.of_span(campaign.starts_at, campaign.ends_at, naming.time_zone)
    recurring = times.of_schedule(campaign.schedule)
    days = wording.joined([told for told in (span, recurring) if told is not None])
    yield wording.said(template.chinese, template.english, name=wording.quoted([campaign.name]), days=days)
    yield from audiences.of_audience(campaign.audience, naming)
    if campaign.budget is not None:
        yield wording.said(
            "活动期间全体会员合计最多{points}，发完即止",
            "all members together receive at most {points} in the campaign",
            points=wording.points(campaign.budget),
        )
