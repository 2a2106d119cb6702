"""Mail about cases: a notice at each step, reminders before a date, to those whom the rules name and nobody else."""
