"""Charging cards through a payment provider, without ever charging twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bookshop.errors import NotFound, PaymentDeclined, TemporarilyUnavailable
from bookshop.money import Money

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class ProviderReply:
    payment_id: str
    approved: bool
    reason: str = ""


class Provider(Protocol):
    """The company that moves the money. A key that it has seen before moves nothing again."""

    async def charge(self, amount: Money, token: str, key: str) -> ProviderReply: ...

    async def refund(self, payment_id: str, amount: Money, key: str) -> ProviderReply: ...


def backoff(attempts: int, base: float = 0.5, ceiling: float = 8.0) -> Iterator[float]:
    """The pauses between so many attempts: doubling, up to a ceiling."""
    for attempt in range(attempts - 1):
        yield min(base * 2**attempt, ceiling)


class PaymentGateway:
    def __init__(
        self,
        provider: Provider,
        attempts: int = 4,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if attempts < 1:
            raise ValueError("at least one attempt is needed")
        self._provider = provider
        self._attempts = attempts
        self._sleep = sleep
        self._charged: dict[str, Money] = {}
        self._refunded: dict[str, Money] = {}

    async def charge(self, amount: Money, token: str, order_number: str) -> str:
        """Charge a card; returns the payment's id."""
        if amount.minor <= 0:
            raise ValueError("only more than nothing can be charged")
        reply = await self._insist(
            lambda: self._provider.charge(amount, token, f"charge-{order_number}")
        )
        if not reply.approved:
            raise PaymentDeclined(reply.reason or "the card was declined")
        self._charged[reply.payment_id] = amount
        return reply.payment_id

    async def refund(self, payment_id: str, amount: Money) -> Money:
        """Pay back a part of a charge or all of it; returns what is left of the charge."""
        if amount.minor <= 0:
            raise ValueError("only more than nothing can be paid back")
        remaining = self.remaining(payment_id)
        if amount > remaining:
            raise ValueError(f"only {remaining} can still be paid back")
        key = f"refund-{payment_id}-{remaining.minor}"
        reply = await self._insist(lambda: self._provider.refund(payment_id, amount, key))
        if not reply.approved:
            raise PaymentDeclined(reply.reason or "the refund was refused")
        before = self._refunded.get(payment_id, Money(0, amount.currency))
        self._refunded[payment_id] = before + amount
        return self.remaining(payment_id)

    def remaining(self, payment_id: str) -> Money:
        """What has been charged and not paid back."""
        charged = self._charged.get(payment_id)
        if charged is None:
            raise NotFound(payment_id)
        refunded = self._refunded.get(payment_id)
        return charged if refunded is None else charged - refunded

    async def _insist(self, call: Callable[[], Awaitable[ProviderReply]]) -> ProviderReply:
        for pause in backoff(self._attempts):
            try:
                return await call()
            except TemporarilyUnavailable:
                await self._sleep(pause)
        return await call()
