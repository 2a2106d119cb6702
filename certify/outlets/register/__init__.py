"""The public register: certified practices that agreed to be listed, and the check of a certificate."""
