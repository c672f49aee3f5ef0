"""Thanking customers who come back."""
