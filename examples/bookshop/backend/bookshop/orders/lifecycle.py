"""The states of an order and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bookshop.constants import RETURN_WINDOW_DAYS
from bookshop.errors import BookshopError


class OrderStatus(Enum):
    PLACED = "placed"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class IllegalMove(BookshopError):
    """An order cannot go from its state to the one asked for."""


_MOVES: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    OrderStatus.PLACED: (OrderStatus.PAID, OrderStatus.CANCELLED),
    OrderStatus.PAID: (OrderStatus.PACKED, OrderStatus.CANCELLED),
    OrderStatus.PACKED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED, OrderStatus.RETURNED),
    OrderStatus.DELIVERED: (OrderStatus.RETURNED,),
    OrderStatus.CANCELLED: (),
    OrderStatus.RETURNED: (),
}


@dataclass(frozen=True)
class Event:
    status: OrderStatus
    at: datetime
    note: str = ""


def can_move(current: OrderStatus, wanted: OrderStatus) -> bool:
    return wanted in _MOVES[current]


def is_final(status: OrderStatus) -> bool:
    return not _MOVES[status]


def reachable(status: OrderStatus) -> Iterator[OrderStatus]:
    """Every state an order may still come to, nearest first, each once."""
    seen = {status}
    waiting = [status]
    while waiting:
        for following in _MOVES[waiting.pop(0)]:
            if following not in seen:
                seen.add(following)
                waiting.append(following)
                yield following


class Timeline:
    """What has happened to one order, in order of time."""

    def __init__(self, placed_at: datetime) -> None:
        self._events = [Event(OrderStatus.PLACED, placed_at)]

    @property
    def status(self) -> OrderStatus:
        return self._events[-1].status

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self._events)

    def check(self, wanted: OrderStatus, at: datetime) -> None:
        """Refuse a move when there is no such way or time runs backwards."""
        if not can_move(self.status, wanted):
            raise IllegalMove(f"{self.status.value} -> {wanted.value}")
        if at < self._events[-1].at:
            raise ValueError("an event cannot lie before the one that precedes it")
        if wanted is OrderStatus.RETURNED and self.status is OrderStatus.DELIVERED:
            if at > self._events[-1].at + timedelta(days=RETURN_WINDOW_DAYS):
                raise IllegalMove("the return window has closed")

    def move(self, wanted: OrderStatus, at: datetime, note: str = "") -> Event:
        """Go to another state, if that is allowed."""
        self.check(wanted, at)
        event = Event(wanted, at, note)
        self._events.append(event)
        return event

    def time_in(self, status: OrderStatus, now: datetime) -> timedelta:
        """How long the order was in a state, or has been in it until now."""
        for event, following in zip(self._events, self._events[1:]):
            if event.status is status:
                return following.at - event.at
        if self.status is status:
            return max(now - self._events[-1].at, timedelta(0))
        return timedelta(0)
