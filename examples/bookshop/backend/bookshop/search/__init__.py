"""Finding books by what a customer types."""

from .index import SearchIndex
from .query import Query, parse_query

__all__ = ["Query", "SearchIndex", "parse_query"]
