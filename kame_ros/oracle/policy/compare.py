"""Compares a transcript with the newest one and with the last question."""

from __future__ import annotations

from kame_ros.oracle.policy.decision import Start
from kame_ros.text.compare import goes_on, normalise
from kame_ros.wire.transcript import Transcript


def is_older(transcript: Transcript, newest: Transcript | None) -> bool:
    """Whether `transcript` comes before `newest`, or is the same revision again."""
    if newest is None or transcript.utterance > newest.utterance:
        return False
    if transcript.utterance < newest.utterance:
        return True
    return newest.final or transcript.revision <= newest.revision


def says_the_same(ask: Start | None, transcript: Transcript) -> bool:
    """Whether a question was this transcript, but for case and punctuation."""
    return (
        ask is not None
        and ask.utterance == transcript.utterance
        and normalise(ask.text) == normalise(transcript.text)
    )


def is_disproved(ask: Start | None, transcript: Transcript) -> bool:
    """Whether a question was asked with words that the user did not say, as is known by now."""
    return (
        ask is not None
        and ask.utterance == transcript.utterance
        and not goes_on(normalise(ask.text).split(), normalise(transcript.text).split())
    )


def question(transcript: Transcript, backend: int) -> Start:
    """The transcript as a question to this back-end, not yet numbered."""
    return Start(
        0,
        transcript.text,
        transcript.utterance,
        transcript.revision,
        transcript.final,
        len(transcript.stable_text),
        backend,
    )


def unasked(transcript: Transcript) -> Start:
    """The transcript as the subject of an event; no LLM is asked."""
    return Start(-1, '', transcript.utterance, transcript.revision, transcript.final)
