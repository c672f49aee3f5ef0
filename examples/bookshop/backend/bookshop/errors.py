"""What can go wrong in the shop, as exceptions a caller can tell apart."""


class BookshopError(Exception):
    """The base of every error the shop raises on purpose."""


class NotFound(BookshopError):
    """Something was asked for that does not exist."""


class OutOfStock(BookshopError):
    """There are fewer copies than were asked for."""


class PaymentDeclined(BookshopError):
    """The card issuer said no; asking again will not help."""


class TemporarilyUnavailable(BookshopError):
    """A service did not answer; asking again may help."""
