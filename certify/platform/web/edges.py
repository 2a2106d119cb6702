"""What every room's routes need, in one import."""

from certify.platform.web.access import client_network, current_actor, current_person, public, requires
from certify.platform.web.beforehand import beforehand, found_beforehand
from certify.platform.web.transactions import commits, records_reading

__all__ = [
    "beforehand",
    "client_network",
    "commits",
    "current_actor",
    "current_person",
    "found_beforehand",
    "public",
    "records_reading",
    "requires",
]
