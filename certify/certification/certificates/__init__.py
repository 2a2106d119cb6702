"""Certificates: made on award, never edited, only issued again."""
