"""The site survey: its date and sites, the checklist and its sync, what is still open, and the check-in and finish."""
