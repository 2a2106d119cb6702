"""The command line: one file per command or group, named as the command, each offering `command`."""
