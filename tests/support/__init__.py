"""What tests stand on: databases, servers, a browser. Builders of objects live in tests/builders.py."""
