"""Everything a practice owns, in one file to take along: its records, its cases, its files, its history."""
