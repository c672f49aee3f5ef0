"""What a customer is about to buy."""

from .cart import Cart, CartLine

__all__ = ["Cart", "CartLine"]
