"""What of files would survive a power cut."""

import os
from pathlib import Path


def sync_names(directory: Path) -> None:
    """Returns once the names in it would survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
