"""The spine: the case, its deadlines, its people, and the one door through which its state changes."""
