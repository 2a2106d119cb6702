"""Each person's dates as a calendar that other programs subscribe to."""
