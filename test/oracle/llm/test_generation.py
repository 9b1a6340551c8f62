"""One piece of an answer as long as a book: others have their turn in the loop meanwhile."""

import asyncio

import pytest

from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.oracle.llm.generation import Generation
from kame_ros.oracle.policy.decision import Start

SIGNS = ('<', '$', '\\(', '<0x41>', '`', '漢', '\ud800', '\n', '[', '1')


class FakeClient:
    """Answers with these pieces."""

    def __init__(self, pieces):
        self.pieces = pieces

    async def stream(self, messages, options, usage):
        for piece in self.pieces:
            yield piece


async def answer(*pieces, max_words=30):
    """The words of the answer, and how often another task had its turn."""
    generation = Generation(
        Start(1, 'Hello?', 0, 0, True, 6, 0), Backend('openai', 'm', thinks=False), [], max_words
    )
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    try:
        await generation.write(
            FakeClient(pieces), lambda g, w: None, lambda g, r: None, lambda g: None
        )
    except LlmError:
        pass  # nothing of it can be said
    finally:
        task.cancel()
    return generation.text, turns


@pytest.mark.parametrize('sign', SIGNS)
def test_the_loop_turns_while_a_giant_piece_is_read(sign):
    piece = sign * (100_000 // len(sign))
    text, turns = asyncio.run(answer(piece))
    assert text or turns > 90  # it is read to its end, or as far as the robot would speak


def test_reasoning_as_long_as_a_book_ends_in_the_answer():
    text, turns = asyncio.run(answer('<think>' + 'hm ' * 30_000 + '</think>It is Paris.'))
    assert text == 'It is Paris.'
    assert turns > 80


def test_words_are_the_same_however_the_piece_was_cut():
    one = 'In {0} the **capital** of <b>France</b> had {1} people and \\(x^{2}\\) cats. '
    piece = ''.join(one.format(k * k, k * 7 % 97, k % 9) for k in range(1, 60))
    whole, _ = asyncio.run(answer(piece, max_words=300))
    cut = [piece[k : k + 7] for k in range(0, len(piece), 7)]
    assert asyncio.run(answer(*cut, max_words=300))[0] == whole
    assert whole.startswith('In 1 the capital of France had 7 people and x^1 cats.')
    assert len(piece) > 3_000
