"""Statistics on plain numbers: each formula names its source."""
