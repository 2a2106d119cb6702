"""Reading declared rules from YAML, every mistake with its file, line and reason."""
