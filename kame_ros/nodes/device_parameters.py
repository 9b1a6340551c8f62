"""The parameters that choose a sound device, for the ear and the mouth alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kame_ros.nodes.parameters import Param

DEVICE_PARAMETERS = (
    Param(
        'device',
        '',
        'Name (or part of it) or index of the device, as `kame devices` lists them; empty: the '
        'default one.',
    ),
    Param('rate', 0, "Hz that the device runs at; 0: the device's own.", 0, 384_000),
    Param('channels', 0, 'Channels to open; 0: as few as the device can do.', 0, 256),
    Param(
        'sample_format',
        'int16',
        'What is asked of the driver.',
        choices=('int16', 'float32'),
    ),
)


def device_arguments(param: Callable[[str], Any]) -> dict[str, Any]:
    """These parameters as arguments of DeviceSource and DeviceSink."""
    return {row.name: param(row.name) for row in DEVICE_PARAMETERS}


def hardware_name(param: Callable[[str], Any]) -> str:
    """What diagnostics call the device."""
    return param('device') or 'the default sound device'
