"""Pure matter of the product: no flask, no database."""
