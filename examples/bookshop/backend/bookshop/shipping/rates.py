"""What it costs to send a parcel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..cart import Cart
from ..constants import FREE_SHIPPING_FROM_MINOR, HOME_COUNTRY
from ..money import Money

_HEAVIEST_PARCEL_GRAMS = 10_000
_PACKAGING_GRAMS = 120
_NEIGHBOURS = frozenset({"AT", "BE", "CH", "CZ", "DK", "FR", "LU", "NL", "PL"})


class Zone(Enum):
    HOME = "home"
    NEIGHBOUR = "neighbour"
    WORLD = "world"


class Service(Enum):
    STANDARD = "standard"
    EXPRESS = "express"


@dataclass(frozen=True)
class Quote:
    service: Service
    parcels: int
    price: Money
    days: tuple[int, int]


class CannotShip(ValueError):
    """No service brings this parcel there."""


_STEPS: dict[Zone, Sequence[tuple[int, int]]] = {
    # up to so many grams: so many cents
    Zone.HOME: ((500, 195), (1_000, 290), (5_000, 549), (10_000, 949)),
    Zone.NEIGHBOUR: ((500, 390), (2_000, 899), (10_000, 1_590)),
    Zone.WORLD: ((500, 690), (2_000, 1_690), (10_000, 3_890)),
}
_DAYS = {
    (Zone.HOME, Service.STANDARD): (2, 3),
    (Zone.HOME, Service.EXPRESS): (1, 1),
    (Zone.NEIGHBOUR, Service.STANDARD): (3, 6),
    (Zone.NEIGHBOUR, Service.EXPRESS): (1, 2),
    (Zone.WORLD, Service.STANDARD): (7, 21),
}


def zone_of(country: str) -> Zone:
    code = country.strip().upper()
    if code == HOME_COUNTRY:
        return Zone.HOME
    return Zone.NEIGHBOUR if code in _NEIGHBOURS else Zone.WORLD


def parcels_for(weights: Sequence[int]) -> list[int]:
    """Pack single copies into parcels, heaviest first; returns each parcel's weight."""
    room = _HEAVIEST_PARCEL_GRAMS - _PACKAGING_GRAMS
    parcels: list[int] = []
    for weight in sorted(weights, reverse=True):
        if weight > room:
            raise CannotShip(f"a single copy weighs {weight} g")
        for i, packed in enumerate(parcels):
            if packed + weight <= room:
                parcels[i] += weight
                break
        else:
            parcels.append(weight)
    return [packed + _PACKAGING_GRAMS for packed in parcels]


def parcel_price(grams: int, zone: Zone, service: Service = Service.STANDARD) -> Money:
    """The price of one parcel; express costs half as much again, and at least 5 euros more."""
    if (zone, service) not in _DAYS:
        raise CannotShip(f"no {service.value} service to that zone")
    for limit, cents in _STEPS[zone]:
        if grams <= limit:
            break
    else:
        raise CannotShip(f"{grams} g are too heavy")
    if service is Service.EXPRESS:
        cents = max(math.ceil(cents * 3 / 2), cents + 500)
    return Money(cents, "EUR")


def quotes(cart: Cart, country: str) -> list[Quote]:
    """All ways to send a cart, cheapest first; none for a cart without printed books."""
    weights = [
        line.book.weight_grams
        for line in cart
        if not line.book.format.is_digital
        for _ in range(line.quantity)
    ]
    if not weights:
        return []
    zone = zone_of(country)
    parcels = parcels_for(weights)
    offers = []
    for service in Service:
        if (zone, service) not in _DAYS:
            continue
        price = Money(0, "EUR")
        for grams in parcels:
            price += parcel_price(grams, zone, service)
        if service is Service.STANDARD and _ships_free(cart, zone):
            price = Money(0, "EUR")
        offers.append(Quote(service, len(parcels), price, _DAYS[zone, service]))
    return sorted(offers, key=lambda quote: quote.price)


def _ships_free(cart: Cart, zone: Zone) -> bool:
    return (
        zone is Zone.HOME
        and cart.currency == "EUR"
        and cart.subtotal().minor >= FREE_SHIPPING_FROM_MINOR
    )
