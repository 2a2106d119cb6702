"""What the practice owes: invoices from the schedule, payments, refunds."""
