"""Value-added tax."""

from .vat import VatLine, rate_for, vat_breakdown

__all__ = ["VatLine", "rate_for", "vat_breakdown"]
