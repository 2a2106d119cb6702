"""The pages of step 1: the application for the practice, its check for the program."""
