"""What any case system needs."""
