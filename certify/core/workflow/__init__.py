"""The case engine: declared machines, what may happen next, one step at a time."""
