"""What everything stands on: the clock, calendar days, refusals, events, identifiers."""
