"""Endu: end-user analytics that knows who, says why, and keeps every event it said it kept."""

__version__ = "0.1.0"
