"""The little language of the search box.

``dune author:"Frank Herbert" -"graphic novel" price:5..20 format:ebook``
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

_TOKEN = re.compile(
    r"""
    (?P<minus>-)?
    (?:(?P<field>[a-z]+):)?
    (?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))
    """,
    re.VERBOSE,
)
_FIELDS = ("author", "title", "subject", "format")


class QueryError(ValueError):
    """A search that cannot be understood, with a message for the customer."""


@dataclass(frozen=True)
class Token:
    text: str
    field: str | None = None
    negated: bool = False
    is_phrase: bool = False


@dataclass(frozen=True)
class Query:
    """What is looked for; every condition must hold."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    price_from: Decimal | None = None
    price_to: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return self == Query()


def tokens(text: str) -> Iterator[Token]:
    """Cut a search into words and quoted phrases; a missing last quote is forgiven."""
    for match in _TOKEN.finditer(text):
        quoted = match["quoted"]
        content = match["word"] if quoted is None else quoted.strip()
        if not content:
            continue
        yield Token(
            text=content,
            field=match["field"],
            negated=match["minus"] is not None,
            is_phrase=quoted is not None,
        )


def parse_range(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Read ``5..20``, ``..20``, ``5..`` or a single price."""
    low, dots, high = text.partition("..")
    bounds: list[Decimal | None] = []
    for part in (low, high if dots else low):
        if not part:
            bounds.append(None)
            continue
        try:
            bound = Decimal(part)
        except InvalidOperation:
            raise QueryError(f"{part!r} is not a price") from None
        if not bound.is_finite() or bound < 0:
            raise QueryError(f"{part!r} is not a price")
        bounds.append(bound)
    first, last = bounds
    if first is None and last is None:
        raise QueryError("a price range needs at least one end")
    if first is not None and last is not None and first > last:
        first, last = last, first
    return first, last


def parse_query(text: str) -> Query:
    """Turn what was typed into a query."""
    query = Query()
    for token in tokens(text):
        value = token.text.casefold()
        if token.field is None:
            if token.negated:
                query = replace(query, excluded=(*query.excluded, value))
            elif token.is_phrase:
                query = replace(query, phrases=(*query.phrases, value))
            elif value not in query.words:
                query = replace(query, words=(*query.words, value))
        elif token.negated:
            raise QueryError("only words and phrases can be excluded")
        elif token.field == "price":
            low, high = parse_range(token.text)
            query = replace(query, price_from=low, price_to=high)
        elif token.field in _FIELDS:
            query = replace(query, fields=(*query.fields, (token.field, value)))
        else:
            raise QueryError(f"{token.field!r} is not something to search by")
    return query
