"""The stores, as far as one differs from another."""
