"""What the shop has sold."""

from .sales import Sale, best_sellers, by_period

__all__ = ["Sale", "best_sellers", "by_period"]
