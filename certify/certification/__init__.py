"""The six steps of certification, along one spine."""
