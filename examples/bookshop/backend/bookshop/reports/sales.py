"""Sales by day, week or month, best sellers, and a table to print."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import groupby

from ..money import Money, total


@dataclass(frozen=True)
class Sale:
    day: date
    isbn: str
    quantity: int
    amount: Money


class Period(Enum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start_of(self, day: date) -> date:
        """The first day of the period; a week begins on Monday."""
        if self is Period.WEEK:
            return day - timedelta(days=day.weekday())
        if self is Period.MONTH:
            return day.replace(day=1)
        return day

    def after(self, start: date) -> date:
        """The first day of the period that follows."""
        if self is Period.WEEK:
            return start + timedelta(days=7)
        if self is Period.MONTH:
            return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        return start + timedelta(days=1)


@dataclass(frozen=True)
class Row:
    start: date
    copies: int
    revenue: Money


def by_period(sales: Iterable[Sale], period: Period, fill: bool = False) -> Iterator[Row]:
    """One row for each period with sales, in order; with ``fill``, also for those between."""
    ordered = sorted(sales, key=lambda sale: sale.day)
    expected: date | None = None
    for start, group in groupby(ordered, key=lambda sale: period.start_of(sale.day)):
        members = list(group)
        currency = members[0].amount.currency
        while fill and expected is not None and expected < start:
            yield Row(expected, 0, Money(0, currency))
            expected = period.after(expected)
        yield Row(
            start,
            sum(sale.quantity for sale in members),
            total((sale.amount for sale in members), currency),
        )
        expected = period.after(start)


def best_sellers(sales: Iterable[Sale], count: int = 10) -> list[tuple[int, str, int]]:
    """Place, ISBN and copies; titles that sold equally well share a place."""
    copies: defaultdict[str, int] = defaultdict(int)
    for sale in sales:
        copies[sale.isbn] += sale.quantity
    ranking: list[tuple[int, str, int]] = []
    for position, (isbn, sold) in enumerate(
        sorted(copies.items(), key=lambda item: (-item[1], item[0])), start=1
    ):
        if sold <= 0 or len(ranking) >= count:
            break
        place = ranking[-1][0] if ranking and ranking[-1][2] == sold else position
        ranking.append((place, isbn, sold))
    return ranking


def growth(rows: Sequence[Row]) -> list[float | None]:
    """By what part the revenue grew from row to row; None where there is nothing to compare."""
    changes: list[float | None] = []
    previous: Row | None = None
    for row in rows:
        if previous is None or previous.revenue.is_zero:
            changes.append(None)
        else:
            changes.append((row.revenue - previous.revenue).minor / previous.revenue.minor)
        previous = row
    return changes


def render(rows: Sequence[Row], period: Period) -> str:
    """The rows as a table with aligned columns."""
    table = [(period.value, "copies", "revenue")]
    table += [(row.start.isoformat(), str(row.copies), str(row.revenue)) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(3)]
    lines = []
    for number, line in enumerate(table):
        first, *others = line
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:])]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("-" * (sum(widths) + 4))
    return "\n".join(lines)
