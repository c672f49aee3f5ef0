"""The back end of an online bookshop."""

from .money import Money

__all__ = ["Money", "__version__"]

__version__ = "1.4.0"
