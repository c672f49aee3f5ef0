"""Checks on an order as it comes from the checkout form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..cart import Cart
from ..constants import HOME_COUNTRY

_POSTCODE = {
    "AT": re.compile(r"[1-9]\d{3}", re.ASCII),
    "DE": re.compile(r"\d{5}", re.ASCII),
    "FR": re.compile(r"\d{5}", re.ASCII),
    "NL": re.compile(r"[1-9]\d{3} ?[A-Z]{2}", re.ASCII),
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class Address:
    name: str
    street: str
    postcode: str
    city: str
    country: str = HOME_COUNTRY

    def lines(self) -> list[str]:
        """As a label shows it; the country only when the parcel goes abroad."""
        town = f"{self.postcode} {self.city}"
        label = [self.name, self.street, town]
        if self.country != HOME_COUNTRY:
            label.append(self.country)
        return label


@dataclass(frozen=True)
class Checkout:
    cart: Cart
    email: str
    shipping: Address | None = None
    billing: Address | None = None
    accepts_terms: bool = False


def check_email(email: str) -> str | None:
    """What is wrong with an e-mail address, in words for the customer."""
    if not email:
        return "Please enter your e-mail address."
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        return "This does not look like an e-mail address."
    return None


def check_address(address: Address) -> dict[str, str]:
    """What is wrong with an address, by field."""
    errors = {}
    for field in ("name", "street", "city"):
        if not getattr(address, field).strip():
            errors[field] = "Please fill this in."
    pattern = _POSTCODE.get(address.country)
    if pattern is None:
        errors["country"] = "We do not deliver there."
    elif not pattern.fullmatch(address.postcode.strip()):
        errors["postcode"] = "This is not a postcode of that country."
    return errors


def check_checkout(checkout: Checkout) -> dict[str, str]:
    """Everything to put right before the order can be placed; empty when it can."""
    errors = {}
    if len(checkout.cart) == 0:
        errors["cart"] = "Your cart is empty."

    email_error = check_email(checkout.email)
    if email_error:
        errors["email"] = email_error

    if checkout.cart.needs_shipping():
        if checkout.shipping is None:
            errors["shipping"] = "Where shall we send it?"
        else:
            for field, message in check_address(checkout.shipping).items():
                errors[f"shipping.{field}"] = message

    if checkout.billing is not None:
        for field, message in check_address(checkout.billing).items():
            errors[f"billing.{field}"] = message
    elif not checkout.cart.needs_shipping() and len(checkout.cart) > 0:
        errors["billing"] = "A digital order needs a billing address."

    if not checkout.accepts_terms:
        errors["terms"] = "Please accept our terms."
    return errors
