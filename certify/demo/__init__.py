"""A demo program: believable practices that walk the real operations, never states written by hand."""
