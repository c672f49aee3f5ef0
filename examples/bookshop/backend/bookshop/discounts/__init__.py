"""Coupons and the rules they follow."""
