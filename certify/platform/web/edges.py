"""What every room's routes need, in one import."""

from certify.platform.web.access import current_actor, current_person, public, requires
from certify.platform.web.transactions import commits, records_reading

__all__ = ["commits", "current_actor", "current_person", "public", "records_reading", "requires"]
