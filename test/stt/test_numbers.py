"""What is said with digits, signs and hyphens reaches the final as the last decode writes it."""

import pytest
from fake_scribe import KINDS, FakeScribe, content, number, plain_words
from fake_speech import check, finals, run, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.stt.agreement import has_number
from kame_ros.stt.config import TranscriberConfig
from kame_ros.wire.transcript import Transcript

WORDS = plain_words('call me about the small green house near our old garden and bring some tea')


def hear(scribe, step=0.32, cost=0.0):
    frames = speech(scribe.spans, scribe.end + 2.0)
    outputs, transcriber = run(scribe, frames, TranscriberConfig(step_s=step), cost)
    check(outputs)
    (final,) = finals(outputs)
    partials = [o for _, o in outputs if isinstance(o, Transcript) and not o.final]
    return final, partials, transcriber


def without_loops(said):
    """A new word after every two things: what is said three times in a row may be a loop."""
    out = []
    for i, thing in enumerate(said):
        out += [thing, *plain_words('x' + chr(97 + i // 26) + chr(97 + i % 26))][: 1 + i % 2]
    return out


@pytest.mark.parametrize('kind', KINDS, ids=lambda k: k.writings[0][0][0])
@pytest.mark.parametrize('step', [0.1, 0.2, 0.32, 0.5, 1.0])
def test_a_short_utterance_is_its_last_decode(kind, step):
    for seed in range(8):
        scribe = FakeScribe(said=[*WORDS[:3], kind, *WORDS[3:5], kind], seed=seed)
        final, partials, _ = hear(scribe, step)
        assert final.text == scribe.texts[-1]
        assert content(final.text) == scribe.truth
        assert all(p.committed == 0 for p in partials)  # all of the sound is still there
        stable = [p.stable_text.split()[-1] for p in partials if p.stable_text]
        assert stable, 'nothing was stable while it was said'
        assert not any(has_number(word) for word in stable), 'a number may go on'


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(KINDS), st.sampled_from(WORDS)), min_size=3, max_size=50),
    st.dictionaries(st.integers(0, 70), st.floats(0.05, 0.25), max_size=8),
    st.floats(0.08, 1.5),
    st.floats(0.0, 1.5),
    st.floats(0.18, 0.45),
    st.floats(0.0, 0.2),
    st.integers(0, 999),
)
def test_nothing_said_is_lost_or_doubled(said, pauses, step, cost, pace, jitter, seed):
    said = without_loops(said)
    scribe = FakeScribe(said=said, pauses=pauses, pace=pace, jitter=jitter * pace, seed=seed)
    final, partials, transcriber = hear(scribe, step, cost)
    assert content(final.text) == scribe.truth
    assert final.text.endswith(scribe.texts[-1])
    before = max((p.committed for p in partials), default=0)
    if transcriber.counters()['cuts'] == 0:
        assert final.text == scribe.texts[-1]
        assert before == 0


def test_a_long_number_is_not_cut_apart():
    card = number('4-2-4-2-4-2-4-2-4-2-4-2-4-2-4-2')
    for seed in range(10):
        said = [*WORDS, *WORDS, card, *WORDS, *WORDS, card, *WORDS]
        scribe = FakeScribe(said=said, restless=0.0, seed=seed)
        final, _, transcriber = hear(scribe)
        assert content(final.text) == scribe.truth
        assert transcriber.counters()['cuts'] >= 1
        assert final.text.split().count('4-2-4-2-4-2-4-2-4-2-4-2-4-2-4-2') == 2


def test_a_long_monologue_is_committed_while_it_is_said():
    said = [thing for kind in KINDS for thing in [*WORDS, kind]]
    scribe = FakeScribe(said=said, pauses={i: 0.2 for i in range(0, 200, 11)}, seed=1)
    final, partials, transcriber = hear(scribe)
    assert scribe.end > 75.0
    assert content(final.text) == scribe.truth
    assert transcriber.counters()['cuts'] >= 6
    assert partials[-1].committed > 0.7 * len(final.text)
