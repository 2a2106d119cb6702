"""certify: the case-management system that oncology certification runs on."""

__version__ = "0.1.0"
