"""Prints what the user and the robot say, a line for each."""

from __future__ import annotations

import time

from kame_ros.consumers.consumer import Consumer
from kame_ros.consumers.door import ConsumerSettings
from kame_ros.text.well_formed import printable
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind


class Captions(Consumer):
    """`partials=yes` also prints what the user is heard to say while they still say it."""

    def __init__(self, settings: ConsumerSettings) -> None:
        self._partials = settings.options.get('partials', 'no') == 'yes'
        self._said = ''

    def on_transcript(self, transcript: Transcript) -> None:
        """The user speaks."""
        if transcript.text.strip() and (transcript.final or self._partials):
            self._print('user', transcript.text + ('' if transcript.final else ' …'))

    def on_monologue(self, token: MonologueToken) -> None:
        """The robot speaks."""
        self._said += token.text

    def on_turn(self, event: TurnEvent) -> None:
        """The robot has said something."""
        if event.kind in (TurnKind.ROBOT_SPEECH_END, TurnKind.BARGE_IN, TurnKind.RESET):
            self.close()

    def close(self) -> None:
        """Prints what was said last."""
        if self._said.strip():
            self._print('robot', self._said)
        self._said = ''

    @staticmethod
    def _print(who: str, text: str) -> None:
        print(f'{time.strftime("%H:%M:%S")} {who}: {" ".join(printable(text).split())}', flush=True)
