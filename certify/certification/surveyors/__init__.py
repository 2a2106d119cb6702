"""Who surveys: the surveyors, which of them suits a case and why, and what each side declares about conflicts of interest."""
