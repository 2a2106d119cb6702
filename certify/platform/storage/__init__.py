"""Files of the product, kept under the digest of their content."""
