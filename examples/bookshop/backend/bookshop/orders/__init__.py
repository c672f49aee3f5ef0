"""Orders, from the checkout to the doorstep."""
