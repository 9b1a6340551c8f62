"""Finds the messages of a package that may not be installed."""

from __future__ import annotations

import importlib
from typing import cast


def message_of(package: str, name: str) -> type:
    """A message of a package by name; raises ImportError with how to get it."""
    distribution = package.replace('_', '-').removesuffix('-msgs') + '-msgs'
    try:
        return cast(type, getattr(importlib.import_module(f'{package}.msg'), name))
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f'the bridge needs {package}/{name}, which is not here ({error}); get it with: '
            f'apt-get install ros-$ROS_DISTRO-{distribution}'
        ) from error


def has(package: str, name: str) -> bool:
    """Whether this message is installed."""
    try:
        message_of(package, name)
    except ImportError:
        return False
    return True
