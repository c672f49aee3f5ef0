"""When to order more copies, and how many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Urgency(IntEnum):
    NONE = 0
    SOON = 1
    NOW = 2


@dataclass(frozen=True)
class TitleHistory:
    """A title's copies sold on each of the last days, oldest first."""

    isbn: str
    sold: tuple[int, ...]
    available: int
    on_order: int = 0
    lead_days: int = 5
    pack_size: int = 1


@dataclass(frozen=True)
class Suggestion:
    isbn: str
    quantity: int
    urgency: Urgency


def daily_demand(sold: Sequence[int], recent_days: int = 7) -> float:
    """Copies a day, the recent days counting twice; zero without a history."""
    if recent_days < 0:
        raise ValueError("a number of days is not negative")
    if not sold:
        return 0.0
    split = max(len(sold) - recent_days, 0)
    older, recent = sold[:split], sold[split:]
    return (sum(older) + 2 * sum(recent)) / (len(older) + 2 * len(recent))


def safety_stock(sold: Sequence[int], lead_days: int, service_factor: float = 1.65) -> int:
    """Copies to keep for days on which more is sold than usual."""
    if len(sold) < 2 or lead_days <= 0:
        return 0
    mean = sum(sold) / len(sold)
    variance = sum((day - mean) ** 2 for day in sold) / (len(sold) - 1)
    return math.ceil(service_factor * math.sqrt(variance * lead_days))


def days_left(available: int, demand: float) -> float:
    """How long the copies last; without demand, for ever."""
    if available <= 0:
        return 0.0
    return available / demand if demand > 0 else math.inf


def urgency(history: TitleHistory) -> Urgency:
    """How soon a title has to be ordered, given what is already on its way."""
    demand = daily_demand(history.sold)
    if demand == 0:
        return Urgency.NONE
    remaining = days_left(history.available + history.on_order, demand)
    if remaining <= history.lead_days:
        return Urgency.NOW
    if remaining <= 2 * history.lead_days:
        return Urgency.SOON
    return Urgency.NONE


def suggest(titles: Iterable[TitleHistory], cover_days: int = 30) -> Iterator[Suggestion]:
    """Yield what to order so that it lasts for the lead time and ``cover_days`` more."""
    for title in titles:
        level = urgency(title)
        if level is Urgency.NONE:
            continue
        target = math.ceil(daily_demand(title.sold) * (title.lead_days + cover_days))
        target += safety_stock(title.sold, title.lead_days)
        missing = target - title.available - title.on_order
        if missing <= 0:
            continue
        packs = math.ceil(missing / max(title.pack_size, 1))
        yield Suggestion(title.isbn, packs * max(title.pack_size, 1), level)
