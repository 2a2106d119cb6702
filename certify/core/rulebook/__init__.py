"""All declared rules together, cross-checked; what the product runs by."""
