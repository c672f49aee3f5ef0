"""Placing and cancelling orders: stock, payment and storage brought together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bookshop.cart import CartLine
from bookshop.errors import BookshopError, NotFound
from bookshop.inventory.stock import Warehouse
from bookshop.money import Money
from bookshop.orders.lifecycle import OrderStatus, Timeline
from bookshop.orders.validation import Checkout, check_checkout
from bookshop.payments.gateway import PaymentGateway


@dataclass
class Order:
    number: str
    checkout: Checkout
    lines: tuple[CartLine, ...]
    amount: Money
    timeline: Timeline
    payment_id: str | None = None
    reservations: list[str] = field(default_factory=list)


class InvalidOrder(BookshopError):
    """The checkout has mistakes the customer can put right."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(sorted(errors)))
        self.errors = errors


class OrderStore(Protocol):
    """Where orders are kept."""

    async def next_number(self) -> str: ...

    async def save(self, order: Order) -> None: ...

    async def get(self, number: str) -> Order | None: ...

    def all(self) -> AsyncIterator[Order]: ...


class MemoryOrderStore:
    """Keeps orders for as long as the process lives."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._last = 0

    async def next_number(self) -> str:
        self._last += 1
        return f"B{self._last:06d}"

    async def save(self, order: Order) -> None:
        self._orders[order.number] = order

    async def get(self, number: str) -> Order | None:
        return self._orders.get(number)

    async def all(self) -> AsyncIterator[Order]:
        for order in list(self._orders.values()):
            yield order


class OrderService:
    def __init__(self, store: OrderStore, warehouse: Warehouse, payments: PaymentGateway) -> None:
        self._store = store
        self._warehouse = warehouse
        self._payments = payments

    async def place(self, checkout: Checkout, card_token: str, now: datetime) -> Order:
        """Reserve, charge, store. Whatever fails, nothing stays reserved that is not paid for."""
        errors = check_checkout(checkout)
        if errors:
            raise InvalidOrder(errors)

        number = await self._store.next_number()
        lines = tuple(checkout.cart)
        order = Order(number, checkout, lines, checkout.cart.subtotal(), Timeline(now))
        try:
            for line in order.lines:
                if not line.book.format.is_digital:
                    reserved = self._warehouse.reserve(line.book.isbn, line.quantity, now)
                    order.reservations.append(reserved)
            if not order.amount.is_zero:
                order.payment_id = await self._payments.charge(order.amount, card_token, number)
        except BaseException:
            self._release(order)
            raise
        for reservation in order.reservations:
            self._warehouse.commit(reservation)
        order.timeline.move(OrderStatus.PAID, now)
        await self._store.save(order)
        return order

    async def cancel(self, number: str, now: datetime, reason: str = "") -> Order:
        """Cancel an order that has not left the house, and pay the money back."""
        order = await self._store.get(number)
        if order is None:
            raise NotFound(number)
        order.timeline.check(OrderStatus.CANCELLED, now)
        if order.payment_id is not None:
            await self._payments.refund(order.payment_id, order.amount)
        order.timeline.move(OrderStatus.CANCELLED, now, reason)
        for line in order.lines:
            if not line.book.format.is_digital:
                self._warehouse.receive(line.book.isbn, line.quantity)
        await self._store.save(order)
        return order

    async def open_orders(self) -> AsyncIterator[Order]:
        """Orders that are paid for and not yet on their way."""
        async for order in self._store.all():
            if order.timeline.status in (OrderStatus.PAID, OrderStatus.PACKED):
                yield order

    def _release(self, order: Order) -> None:
        while order.reservations:
            self._warehouse.release(order.reservations.pop())
