"""The `endu` command."""

from endu.cli.app import main

__all__ = ["main"]
