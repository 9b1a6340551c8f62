from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.tts.script import Script
from kame_ros.text.spoken_words import words_of
from kame_ros.wire.oracle import Oracle

TEXTS = st.lists(st.sampled_from(['a', 'b,', 'c.', 'd']), min_size=1, max_size=8).map(' '.join)


def keys(text: str) -> list[str]:
    return [word.key for word in words_of(text, ended=True)]


def oracle(generation: int, text: str, ended: bool = True) -> Oracle:
    return Oracle('llm', generation, text, ended, utterance=0, revision=generation)


def speak(script: Script, words: int) -> list[str]:
    """Plans clause by clause and begins so many words."""
    said = []
    while len(said) < words:
        if script.begun == script.planned:
            clause = script.next_clause(3, stalled=True, hurry=True)
            if not clause:
                break
            script.plan(clause)
        said.append(script._planned[script.begun])
        script.begin(script.begun)
    return said


@given(TEXTS, st.lists(st.integers(1, 3), max_size=8))
def test_a_growing_text_is_said_once_and_in_full(text: str, steps: list[int]) -> None:
    script, said, words = Script(oracle(1, '')), [], text.split()
    for count in range(1, len(words) + 1):
        ended = count == len(words)
        assert script.update(oracle(1, ' '.join(words[:count]), ended), 0.0) is False
        said += speak(script, steps[count % len(steps)] if steps else 0)
    said += speak(script, 99)
    assert said == keys(text)
    assert script.done
    assert script.unsaid == 0


@given(TEXTS, TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_a_newer_text(old: str, new: str, begun: int, planned: int) -> None:
    script = Script(oracle(1, old))
    script.update(oracle(1, old), 0.0)
    speak(script, begun)
    script.plan(script.words[script.planned : script.planned + planned])
    heard = keys(old)[: script.begun]
    script.update(oracle(2, new), 1.0)
    if script.contradicts:
        assert heard != keys(new)[: len(heard)]
        start = script.correct()
        assert keys(new)[:start] == heard[:start]
        assert start == 0 or script.words[start - 1].stop
        assert speak(script, 99) == keys(new)[start:]
    else:
        agree = min(len(heard), len(keys(new)))
        assert heard[:agree] == keys(new)[:agree]
        while script.begun < script.planned:  # what the voice has is heard
            heard.append(script._planned[script.begun])
            script.begin(script.begun)
        heard += speak(script, 99)
        assert heard[: len(keys(new))] == keys(new)
    assert script.done


def test_a_correction_waits_for_a_clause() -> None:
    script = Script(oracle(1, 'it is red.'))
    script.update(oracle(1, 'it is red.'), 0.0)
    speak(script, 3)
    assert script.update(oracle(2, 'it was ', ended=False), 1.0) is False
    assert script.contradicts
    assert script.next_clause(8, stalled=False, hurry=True) == []
    assert not script.done
    script.update(oracle(2, 'it was blue, ', ended=False), 1.2)
    clause = script.next_clause(8, stalled=False, hurry=True)
    assert [word.text for word in clause] == ['it', 'was', 'blue,']


def test_a_contradiction_that_is_taken_back_is_none() -> None:
    script = Script(oracle(1, 'it is red.'))
    script.update(oracle(1, 'it is red.'), 0.0)
    speak(script, 3)
    script.update(oracle(2, 'it was ', ended=False), 1.0)
    assert script.contradicts
    assert script.update(oracle(3, 'it is red.'), 1.0) is False
    assert not script.contradicts
    assert script.done


@pytest.mark.parametrize(
    ('text', 'clause'),
    [
        ('It has eight legs.', 'It has eight legs.'),
        ('Well,', 'Well,'),
        ('It has eight', ''),  # no clause ends
        ('It costs 3.', ''),  # 3.5?
        ('Ask Mr.', ''),  # Mr. Smith
    ],
)
def test_a_clause_is_said_without_waiting_for_the_word_after_it(text: str, clause: str) -> None:
    script = Script(oracle(1, ''))
    script.update(oracle(1, text, ended=False), 0.0)
    words = script.next_clause(8, stalled=False, hurry=True)
    assert ' '.join(word.text for word in words) == clause


def test_words_that_go_on_where_a_clause_seemed_to_end_are_read_anew() -> None:
    script = Script(oracle(1, ''))
    for text in ('Look at example.', 'Look at example.com,', 'Look at example.com, it is'):
        script.update(oracle(1, text, ended=False), 0.0)
    script.update(oracle(1, 'Look at example.com, it is good.'), 0.0)
    assert [word.key for word in script.words] == keys('Look at example.com, it is good.')


def test_pieces_of_words_of_other_sources_are_waited_for() -> None:
    script = Script(Oracle('battery', 1, '', False))
    script.update(Oracle('battery', 1, 'Look at example.', False), 0.0)
    assert script.next_clause(8, stalled=False, hurry=True) == []
