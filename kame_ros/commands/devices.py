"""`kame devices`: the microphones and loudspeakers of this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kame_ros.audio.devices.devices import DeviceError, list_devices
from kame_ros.commands.show import fail


def devices(args: argparse.Namespace) -> int:
    """Lists the devices; 1 where PyAudio is not installed or there is none."""
    try:
        found = list_devices()
    except DeviceError as error:
        return fail(escape(str(error)))
    if args.json:
        print(json.dumps([asdict(device) for device in found], indent=2))
        return int(not found)
    if not found:
        return fail(
            'there is no sound device; a robot without one can use '
            '--set audio_capture.source=topic and --set audio_playback.sink=null'
        )
    table = Table.grid(padding=(0, 2))
    table.add_row(*(f'[dim]{c}[/]' for c in ('index', 'name', 'in', 'out', 'Hz', 'driver', '')))
    for device in found:
        uses = ['microphone'] * device.default_input + ['loudspeaker'] * device.default_output
        table.add_row(
            str(device.index),
            f'[bold]{escape(device.name)}[/]',
            str(device.inputs or ''),
            str(device.outputs or ''),
            str(device.sample_rate),
            f'[dim]{escape(device.api)}[/]',
            f'[green]default {" and ".join(uses)}[/]' if uses else '',
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(
        '[dim]chosen with[/] --set audio_capture.device="name or index" '
        '[dim]and[/] --set audio_playback.device=...'
    )
    return 0
