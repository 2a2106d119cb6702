"""Practices, their sites and their providers."""
