"""Tells a user whose machine is too slow for the speech model what to do about it."""

from __future__ import annotations

from kame_ros.runtime.step_times import StepTimes

_ADVICE = {
    'cuda': 'set quantise to int8, a shorter context (750 frames are 60 s), or fewer slots',
    'cpu': 'use a GPU, a smaller model, or the tts front-end, which is made for a CPU',
}


def complaint(times: StepTimes, device: str) -> str:
    """What to say if the model on a `device`, "cpu" or "cuda", cannot keep up; empty: it can."""
    if not times.overloaded:
        return ''
    return (
        f'the speech model needs {times.sustained_factor:.2f} s for each second of sound, so '
        f'speech breaks up and falls behind: {_ADVICE["cpu" if device == "cpu" else "cuda"]}'
    )
