"""Every write is an event in a hash chain: who, when, what, why."""
