"""What every page and call has in common: access, transactions, refusals, headers, forms, paging."""
