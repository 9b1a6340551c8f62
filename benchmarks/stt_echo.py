"""The robot's own voice in the microphone, with and without the user speaking over it."""

from __future__ import annotations

from typing import Any

import numpy as np
from speech_material import Clip, clips
from stt_policies import Run, ours
from stt_scores import errors, normal

from kame_ros.stt.echo import EchoGuardConfig
from kame_ros.wire.frame import SAMPLE_RATE

_ROBOT = (
    'The tallest mountain in the world is Mount Everest, and it is in the Himalayas.',
    'A rainbow forms when the light of the sun is bent by drops of rain.',
    'I can tell you more about the weather of tomorrow if you like.',
)
_USER = ('Stop, please tell me about something else.', 'No, I meant the second one.')
_DELAY_S = 0.06  # from loudspeaker to microphone
_BARGE_IN_S = 8.0


def echo_scores(model: str, meter: str) -> dict[str, Any]:
    """For echoes of several strengths: turns invented, and whether the user is heard.

    `echo_db` is the level of the robot at the microphone relative to the user's.
    """
    robot = np.concatenate([clip.sound[: -2 * SAMPLE_RATE] for clip in clips('hibari', _ROBOT)])
    users = clips('flite-rms', _USER)
    table: dict[str, Any] = {}
    for label, config in (('off', EchoGuardConfig(guard=False)), ('on', EchoGuardConfig())):
        policy = ours(model, meter, echo=config)
        for echo_db in (-20.0, -10.0, -3.0):
            echo = np.roll(robot, int(_DELAY_S * SAMPLE_RATE)) * 10 ** (echo_db / 20)
            alone = policy.run(echo, False, robot)
            heard = [policy.run(_over(echo, user), False, robot) for user in users]
            table[f'guard {label}, echo {echo_db:.0f} dB'] = {
                'false_turns': sum(bool(o.text) for _, o in alone.finals),
                'user_wer': round(_user_wer(users, heard), 1),
                'users_heard': sum(_heard(run) for run in heard),
                'users': len(users),
            }
    return table


def _over(echo: np.ndarray, user: Clip) -> np.ndarray:
    mixed = echo.copy()
    at = int(_BARGE_IN_S * SAMPLE_RATE)
    mixed[at : at + len(user.sound)] += user.sound[: len(mixed) - at]
    return mixed


def _during(run: Run) -> str:
    return ' '.join(o.text for _, o in run.finals if o.end > _BARGE_IN_S + 1.0)


def _heard(run: Run) -> bool:
    """Whether a start of speech was told soon after the user's first word."""
    begin = _BARGE_IN_S + 1.0  # a clip leads with 1 s of silence
    return any(e.kind.value == 'start' and begin - 0.3 <= e.t <= begin + 1.0 for _, e in run.events)


def _user_wer(users: list[Clip], runs: list[Run]) -> float:
    wrong = sum(
        errors(normal(c.text), normal(_during(r))) for c, r in zip(users, runs, strict=True)
    )
    return 100 * wrong / sum(len(normal(c.text)) for c in users)
