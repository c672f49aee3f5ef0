"""What else a customer might like."""
