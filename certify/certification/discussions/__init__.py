"""Messages about a case and its items, each with a visible mark of who can read it."""
