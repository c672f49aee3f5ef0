"""From the warehouse to the customer."""
