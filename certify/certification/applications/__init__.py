"""Step 1: questionnaire, agreement, webinar, questions of the program, eligibility."""
