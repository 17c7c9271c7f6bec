"""Recurring local time in the API."""

import strawberry

from api import inputs, shapes
from domain import schedules


@shapes.shape()
class Schedule:
    """When something recurs, on the program's clock. What is empty is not asked; what is told must all hold."""

    weekdays: list[int] = strawberry.field(description="From 1, Monday, to 7.")
    month_days: list[int] = strawberry.field(description="Days of the month: a member day every 8th is [8].")
    dates: list[str] = strawberry.field(description="Holidays: 05-01 every year, 2026-10-01 once.")
    from_hour: int | None
    until_hour: int | None = strawberry.field(description="The hour before which it ends, up to 24.")


@shapes.given()
class ScheduleInput:
    """When something recurs, on the program's clock: weekdays from 1 (Monday) to 7, dates as 05-01 or 2026-10-01."""

    weekdays: list[int] | None = inputs.bounded(7, default=None)
    month_days: list[int] | None = inputs.bounded(31, default=None)
    dates: list[str] | None = inputs.bounded(schedules.DATES_MAX, default=None)
    from_hour: int | None = None
    until_hour: int | None = None

    def schedule(self) -> schedules.Schedule:
        """The schedule for the domain."""
        return schedules.Schedule(
            weekdays=tuple(self.weekdays or ()),
            month_days=tuple(self.month_days or ()),
            dates=tuple(self.dates or ()),
            from_hour=self.from_hour,
            until_hour=self.until_hour,
        )
