"""Standards, questionnaires, agreements, deadlines, fees and notices, as declared in workflows/."""
