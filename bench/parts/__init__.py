"""What the bench can show, a part a file; each begins with a copy of the dataset of its own and programs started afresh."""
