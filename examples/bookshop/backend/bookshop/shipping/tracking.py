"""Following parcels by asking the carriers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from bookshop.errors import TemporarilyUnavailable


class ParcelState(Enum):
    UNKNOWN = "unknown"
    ANNOUNCED = "announced"
    IN_TRANSIT = "in transit"
    HELD = "held"
    DELIVERED = "delivered"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        return self in (ParcelState.DELIVERED, ParcelState.LOST)


@dataclass(frozen=True)
class Scan:
    tracking_number: str
    state: ParcelState
    place: str = ""


Fetch = Callable[[str], Awaitable[Scan]]
Sleep = Callable[[float], Awaitable[None]]

_WORDS = (
    ("delivered", ParcelState.DELIVERED),
    ("lost", ParcelState.LOST),
    ("customs", ParcelState.HELD),
    ("held", ParcelState.HELD),
    ("sorting", ParcelState.IN_TRANSIT),
    ("transit", ParcelState.IN_TRANSIT),
    ("announced", ParcelState.ANNOUNCED),
)


def is_tracking_number(text: str) -> bool:
    """Two letters, eight digits, a check digit and a country, as in ``RR123456785DE``."""
    match = re.fullmatch(r"[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}", text)
    if match is None:
        return False
    weights = (8, 6, 4, 2, 3, 5, 9, 7)
    remainder = sum(w * int(d) for w, d in zip(weights, match[1])) % 11
    check = {0: 5, 1: 0}.get(remainder, 11 - remainder)
    return check == int(match[2])


def state_from_text(text: str) -> ParcelState:
    """Guess the state from a carrier's own words."""
    lowered = text.lower()
    if "not delivered" in lowered or "undeliverable" in lowered:
        return ParcelState.HELD
    for word, state in _WORDS:
        if word in lowered:
            return state
    return ParcelState.UNKNOWN


async def follow(
    tracking_number: str,
    fetch: Fetch,
    *,
    interval: float = 60.0,
    patience: int = 3,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Scan]:
    """Yield each new scan until the parcel's way has ended.

    A carrier that does not answer is asked again; after ``patience`` failures in a row
    the last one is passed on.
    """
    last: Scan | None = None
    failures = 0
    while True:
        try:
            scan = await fetch(tracking_number)
        except TemporarilyUnavailable:
            failures += 1
            if failures >= patience:
                raise
        else:
            failures = 0
            if scan != last:
                last = scan
                yield scan
                if scan.state.is_final:
                    return
        await sleep(interval)


async def states_of(numbers: Iterable[str], fetch: Fetch, at_once: int = 8) -> dict[str, ParcelState]:
    """Ask for many parcels, a few at a time; one that cannot be found out is unknown."""
    if at_once < 1:
        raise ValueError("at least one question must be allowed at a time")
    gate = asyncio.Semaphore(at_once)

    async def ask(number: str) -> ParcelState:
        async with gate:
            try:
                return (await fetch(number)).state
            except TemporarilyUnavailable:
                return ParcelState.UNKNOWN

    unique = list(dict.fromkeys(numbers))
    states = await asyncio.gather(*(ask(number) for number in unique))
    return dict(zip(unique, states))
