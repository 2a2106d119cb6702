"""People, how they prove who they are, and the roles they hold."""
