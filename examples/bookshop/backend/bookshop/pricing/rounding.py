"""How prices are rounded for display."""


def to_ninety(minor: int) -> int:
    """The lowest price that ends in 90 and is not below the given one."""
    return (minor + 9) // 100 * 100 + 90
