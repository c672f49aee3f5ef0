"""How prices are rounded for display."""


def to_ninety(minor: int) -> int:
    """The nearest price at or above that ends in 90."""
    return (minor + 9) // 100 * 100 + 90
