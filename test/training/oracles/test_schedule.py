"""When oracles are asked for, and what the simulator may know by then."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.training.data.arrival import ArrivedOracle, Latency, arrive, mishear
from kame_ros.training.data.dialogue import DataError, Dialogue, DialogueWord, load
from kame_ros.training.oracles.schedule import Cadence, level, plan
from kame_ros.training.oracles.simulate import draw, messages


def spoken(speaker: str, text: str, start: float, each: float = 0.3) -> list[DialogueWord]:
    """Words one after another, each `each` s long; a '|' is a pause of 2 s."""
    words, now = [], start
    for word in text.split():
        if word == '|':
            now += 2.0
            continue
        words.append(DialogueWord(speaker, word, now, now + each))
        now += each
    return words


def dialogue(*words: list[DialogueWord]) -> Dialogue:
    return Dialogue('test', tuple(word for part in words for word in part))


ASKED = 'where is the red cup that i bought on monday'
TWO = dialogue(spoken('B', ASKED, 0.0), spoken('A', 'it is in the kitchen', 4.0))


def test_a_request_for_every_two_words_and_one_at_the_end() -> None:
    requests = plan(TWO)
    assert [request.said for request in requests] == [2, 4, 6, 8, 10]
    assert [request.level for request in requests] == [0, 0, 1, 3, 5]
    assert all(request.listener == 'A' for request in requests)
    assert all(request.truth == 'it is in the kitchen' for request in requests)
    assert requests[-1].at == pytest.approx(10 * 0.3 + 0.1)


def test_a_pause_is_not_the_end_of_a_turn() -> None:
    """Only the last request may know the truth, however long the pause in mid-turn."""
    paused = dialogue(
        spoken('B', 'where is the red | cup that i bought', 0.0), spoken('A', 'here', 9.0)
    )
    requests = plan(paused)
    assert [request.ratio == 1.0 for request in requests] == [False] * (len(requests) - 1) + [True]
    ratios = [request.ratio for request in requests]
    assert ratios == sorted(ratios)
    before = [request for request in requests if request.at < 9.0 and request.said <= 4]
    assert max(request.level for request in before) <= 1


LONG = 'where is the red cup that i bought'


@pytest.mark.parametrize(
    ('remark', 'start'),
    [
        ('uh-huh', 1.0),  # during words
        ('uh-huh', 1.2),
        ('oh really', 0.7),
        ('mm', 2.1),  # the last word is still being said
    ],
)
def test_a_back_channel_ends_no_turn_and_gives_nothing_away(remark: str, start: float) -> None:
    """The truth comes once, after the whole turn; the remark is nobody's answer."""
    with_it = [*spoken('B', LONG, 0.0), *spoken('A', remark, start, 0.25)]
    answer = spoken('A', 'it is in the kitchen', 4.0)
    talk = dialogue(sorted(with_it, key=lambda word: word.start), answer)
    plain = dialogue(spoken('B', LONG, 0.0), answer)
    assert [turn.text for turn in talk.utterances()] == [LONG, 'it is in the kitchen']
    assert {talk.words[place].text for place in talk.remarks()} == set(remark.split())
    seen, wanted = plan(talk), plan(plain)
    for one, two in zip(seen, wanted, strict=True):
        assert (one.at, one.ratio, one.truth) == (two.at, two.ratio, two.truth)
    early = [request for request in seen if request.at < 2.4]
    assert max(request.level for request in early) < 5
    rng = random.Random(0)
    for request in early:
        heard = messages(talk, request, rng, errors=0.0)[1]['content'].partition('other: ')[2]
        assert heard.startswith(' '.join(LONG.split()[: request.said]) + ' ...')


@pytest.mark.parametrize(
    ('text', 'start', 'each', 'why'),
    [
        ('yes i do', 1.0, 0.2, 'more than two words'),
        ('well now', 1.0, 0.6, 'longer than 1 s'),
        ('yes', 2.5, 0.3, 'after the last word'),
    ],
)
def test_what_is_no_back_channel(text: str, start: float, each: float, why: str) -> None:
    words = [*spoken('B', LONG, 0.0), *spoken('A', text, start, each)]
    talk = dialogue(sorted(words, key=lambda word: word.start))
    assert talk.remarks() == frozenset(), why


def test_a_short_answer_ends_a_turn() -> None:
    """After a question mark, or where the other one waits for it."""
    asked = dialogue(
        spoken('B', 'are you there?', 0.0), spoken('A', 'yes', 1.0), spoken('B', 'good', 1.35)
    )
    waits = dialogue(
        spoken('B', 'are you there', 0.0), spoken('A', 'yes', 1.2), spoken('B', 'good', 1.8)
    )
    for talk in (asked, waits):
        assert [turn.speaker for turn in talk.utterances()] == ['B', 'A', 'B']
        assert [r.truth for r in plan(talk)][:2] == ['yes', 'yes']


def test_a_back_channel_in_a_short_gap() -> None:
    talk = dialogue(
        spoken('B', 'i went to the shop', 0.0),
        spoken('A', 'mm', 1.6, 0.2),
        spoken('B', 'and bought a cup', 1.9),
        spoken('A', 'which one', 4.0),
    )
    assert [turn.text for turn in talk.utterances()] == [
        'i went to the shop and bought a cup',
        'which one',
    ]
    assert [request.heard for request in plan(talk)][-1] == 10


def test_requests_keep_their_distance() -> None:
    fast = dialogue(spoken('B', ASKED, 0.0, each=0.1), spoken('A', 'yes', 2.0))
    times = [request.at for request in plan(fast)][:-1]
    assert len(times) == 2
    assert all(two - one >= 0.4 for one, two in pairwise(times))


def test_both_speakers_get_oracles_and_the_last_turn_has_none() -> None:
    three = dialogue(
        spoken('B', 'hello there you', 0.0), spoken('A', 'hi to you', 2.0), spoken('B', 'bye', 4.0)
    )
    assert {r.listener for r in plan(three)} == {'A', 'B'}
    assert max(request.at for request in plan(three)) < 4.0
    assert plan(dialogue(spoken('A', 'alone', 0.0))) == []


@pytest.mark.parametrize(
    ('ratio', 'wanted'),
    [(0.0, 0), (0.49, 0), (0.5, 1), (0.65, 2), (0.8, 3), (0.95, 4), (0.999, 4), (1.0, 5)],
)
def test_levels(ratio: float, wanted: int) -> None:
    assert level(ratio) == wanted


@given(st.integers(1, 40), st.integers(1, 5), st.floats(0.0, 2.0))
def test_every_turn_ends_with_the_truth_exactly_once(
    words: int, every: int, interval: float
) -> None:
    asked = dialogue(spoken('B', 'a ' * words, 0.0), spoken('A', 'yes', 100.0))
    requests = plan(asked, Cadence(every, interval))
    assert sum(request.level == 5 for request in requests) == 1
    assert requests[-1].level == 5
    assert [r.heard for r in requests] == sorted({r.heard for r in requests})


def test_latencies_cover_what_happens() -> None:
    rng = random.Random(0)
    drawn = [Latency().draw(rng) for _ in range(4000)]
    assert min(drawn) == 0.2
    assert max(drawn) == 1.5
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.9), (0.9, 1.5)):
        assert sum(low <= one < high for one in drawn) > 200


def test_what_is_overtaken_is_never_seen() -> None:
    oracles = [ArrivedOracle(0.1 * n, f'answer {n}', n == 9) for n in range(10)]
    for seed in range(50):
        events = arrive(oracles, random.Random(seed))
        numbers = [int(event.text.split()[-1]) for event in events if 'answer ' in event.text]
        assert numbers == sorted(numbers)
        assert events[-1].text == 'answer 9'
        assert [e.start for e in events] == sorted(e.start for e in events)


def test_streams_break_off_but_for_the_last() -> None:
    latency = Latency(aborted=1.0, lost=0.0)
    oracles = [ArrivedOracle(2.0 * n, 'one two three four', n == 2) for n in range(3)]
    lengths = [
        [len(event.text.split()) for event in arrive(oracles, random.Random(seed), latency)]
        for seed in range(40)
    ]
    assert all(three[-1] == 4 for three in lengths)
    assert {three[0] for three in lengths} == {1, 2, 3, 4}


def test_lost_requests_bring_nothing() -> None:
    oracles = [ArrivedOracle(2.0 * n, 'one', n == 2) for n in range(3)]
    assert len(arrive(oracles, random.Random(0), Latency(lost=1.0))) == 1


def test_a_latency_is_in_order() -> None:
    with pytest.raises(ValueError, match='least <= middle'):
        Latency(least=1.0)


def test_mishearing() -> None:
    words = ASKED.split()
    assert mishear(words, random.Random(0), 0.0) == words
    assert mishear(words * 20, random.Random(0), 0.2) != words * 20


def test_the_hint_grows_with_what_was_heard() -> None:
    requests = {request.level: request for request in plan(TWO, Cadence(1, 0.0))}
    rng = random.Random(0)
    asked = {
        level: messages(TWO, request, rng, errors=0.0)
        for level, request in requests.items()
        if level < 5
    }
    hints = {level: m[1]['content'].partition('\nhint: ')[2] for level, m in asked.items()}
    assert hints[0] == ''
    assert 'kitchen' in hints[1]
    assert requests[1].truth not in hints[1]
    assert all(requests[2].truth in hints[n] for n in (2, 3) if n in hints)
    for exchange in asked.values():
        assert [message['role'] for message in exchange] == ['system', 'user']
        assert 'red' not in exchange[0]['content']  # what was said is in the user role only


def test_only_the_running_turn_is_misheard() -> None:
    three = dialogue(
        spoken('B', 'hello there you', 0.0),
        spoken('A', 'hi to you', 2.0),
        spoken('B', 'where is it now', 4.0),
        spoken('A', 'here', 6.0),
    )
    last = next(request for request in plan(three) if request.truth == 'here')
    asked = messages(three, last, random.Random(0), errors=0.0)[1]['content']
    assert asked.splitlines()[:3] == [
        'other: hello there you',
        'you: hi to you',
        'other: where is ...',
    ]


def test_random_oracles_end_with_the_truth() -> None:
    requests = plan(TWO)
    others = ['a b c d', 'one two three four five six', 'x', TWO.words[-1].text]
    found = draw(requests, others, random.Random(0))
    assert found[-1] == 'it is in the kitchen'
    assert set(found[:-1]) <= {'a b c d', 'one two three four five six'}
    with pytest.raises(ValueError, match='two different'):
        draw(requests, ['it is in the kitchen'], random.Random(0))


@pytest.mark.parametrize(
    ('rows', 'reason'),
    [
        ([], 'list of words'),
        ([{'speaker': 'A', 'word': 'hi'}], 'no .start'),
        ([{'speaker': 'A', 'word': 'hi', 'start': None, 'end': None}], 'no times: align'),
        ([{'speaker': 'A', 'word': ' ', 'start': 0, 'end': 1}], 'list of words'),
        ([{'speaker': 'A', 'word': 'hi', 'start': 0, 'end': float('inf')}], 'goes from'),
        ([{'speaker': 'A', 'word': 'hi', 'start': 10**400, 'end': 10**401}], 'too large'),
        ([{'speaker': 'C', 'word': 'hi', 'start': 0, 'end': 1}], 'A or B'),
        ([{'speaker': 'A', 'word': 'hi', 'start': 2, 'end': 1}], 'goes from'),
        (
            [
                {'speaker': 'A', 'word': 'hi', 'start': 0, 'end': 1},
                {'speaker': 'A', 'word': 'ho', 'start': 0.5, 'end': 1},
            ],
            'overlap at 0.50',
        ),
    ],
)
def test_transcripts_that_cannot_be_used(tmp_path: Path, rows: object, reason: str) -> None:
    path = tmp_path / 'talk.json'
    path.write_text(json.dumps(rows))
    with pytest.raises(DataError, match=reason) as error:
        load(path)
    assert 'talk' in str(error.value)


def test_a_word_without_letters_is_a_pause(tmp_path: Path) -> None:
    rows = [{'speaker': 'A', 'word': word, 'start': 0, 'end': 1} for word in ('', None, ' hi')]
    (tmp_path / 'talk.json').write_text(json.dumps(rows))
    assert [word.text for word in load(tmp_path / 'talk.json').words] == ['hi']


@pytest.mark.parametrize('content', ['{', '[' * 100_000])
def test_a_transcript_that_is_no_json(tmp_path: Path, content: str) -> None:
    (tmp_path / 'talk.json').write_text(content)
    with pytest.raises(DataError, match='cannot be read'):
        load(tmp_path / 'talk.json')
