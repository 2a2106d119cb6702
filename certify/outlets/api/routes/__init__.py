"""Routes of the API, a module for each thing they speak of."""
