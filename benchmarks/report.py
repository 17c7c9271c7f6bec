"""What was measured, as lines that a reader can check: a figure, its reference of the same run, and the goal."""

from dataclasses import dataclass

from benchmarks.measure import Figure, ratio


@dataclass(frozen=True, slots=True)
class Line:
    """A figure beside its reference. The goal is the smallest ratio promised."""

    what: str
    beside: str
    figure: Figure
    reference: Figure
    goal: float

    @property
    def ratio(self) -> float:
        return ratio(self.figure, self.reference)

    @property
    def is_reached(self) -> bool:
        return self.ratio >= self.goal

    def text(self) -> str:
        """The line as a row of a Markdown table."""
        return (
            f"| {self.what} | {self.figure.median:,.0f}/s | {self.beside} | {self.reference.median:,.0f}/s"
            f" | {self.ratio:.2f} | {self.goal:g} | {'yes' if self.is_reached else '**no**'} |"
        )


HEAD = "| what | rate | beside | rate | ratio | goal | reached |\n|---|---|---|---|---|---|---|"
