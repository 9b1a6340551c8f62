"""What a turn cost, and how old its answer was."""

import pytest

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import Usage
from kame_ros.oracle.policy.decision import Start
from kame_ros.wire.transcript import Transcript

# -- the books ----------------------------------------------------------------------------


def ask(gen, text, final=False):
    return Start(gen, text, 0, gen, final)


def test_a_turn_knows_its_cost_and_how_stale_the_spoken_answer_was():
    account = TurnAccount(0)
    backend = Backend('openai', 'm', price_in=1.0, price_cached=0.1, price_out=10.0)
    account.on_start(ask(1, 'what is the'))
    account.on_first_word(1.0, 1)
    account.on_spoken(1)
    account.on_start(ask(2, 'what is the capital of France', final=True))
    account.on_final(Transcript(0, 9, 'what is the capital of France?', 30, True, 0.0, 2.0))
    account.on_first_word(2.5, 2)
    account.on_cancel('superseded')
    account.on_usage(backend, 'p' * 300, 'four', Usage())
    account.on_usage(backend, '', '', Usage(tokens_in=1000, cached=800, tokens_out=20))
    books = account.as_dict()
    assert books['first_word_s'] == pytest.approx(0.5)
    assert books['stale_words'] == 3
    assert (books['started'], books['applied'], books['superseded']) == (2, 2, 1)
    assert books['estimated'] == 1
    assert books['cost'] == pytest.approx((200 + 80 + 200 + 104 + 10) / 1e6)


def test_an_answer_that_was_there_before_the_end_of_speech_counts_negative():
    account = TurnAccount(0)
    account.on_start(ask(1, 'what is it'))
    account.on_first_word(1.5, 1)
    account.on_final(Transcript(0, 9, 'What is it?', 11, True, 0.0, 2.0))
    assert account.first_word_s == pytest.approx(-0.5)
