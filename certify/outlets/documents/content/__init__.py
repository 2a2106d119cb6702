"""What each document says, as frozen data; nothing here knows of Word, PDF or the database."""
