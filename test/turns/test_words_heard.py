"""What words tell of a turn."""

from __future__ import annotations

import pytest

from kame_ros.turns.words_heard import WordsHeard, is_answer, is_backchannel, is_request, is_sure


@pytest.mark.parametrize(
    ('text', 'remark'),
    [
        ('Uh-huh.', True), ('Mhm', True), ('Okay, yeah.', True), ('I see.', True), ('', False),
        ('Yes, right!', True), ('Stop.', False), ('No.', False), ('Wait', False),
        ('Okay, but why?', False), ('yeah yeah yeah yeah yeah', False), ('What?', False),
        # Heard by whisper-base for "Yeah, I see" and "Mm-hmm", and what must not be like it.
        ('Yet I see.', True), ('MMHMM.', True), ('mmh', True), ('OH, I SEE!', True), ('-', False),
        ('May I see?', False), ('Not right.', False), ('Not good', False), ('I mean', False),
        ('Yet', False), ('Shut it', False), ('I need help', False), ('Okay, stop', False),
        ('You add ice.', False), ('Right, but how', False), ('Can I see', False),
    ],
)  # fmt: skip
def test_backchannels(text: str, remark: bool) -> None:
    assert is_backchannel(text) is remark


@pytest.mark.parametrize(
    ('text', 'answer'),
    [
        ('Yes, please.', True), ('No, thank you.', True), ('Stop.', True), ('Good morning', True),
        ('Hello!', True), ('Okay.', True), ('Never mind', True), ('', False),
        ('Yes, but', False), ('Please', False), ('Thank you', True), ('You', False),
        ('Bring me', False), ('No no no no no', False),
        ('Stop, please.', True), ('Please wait', False), ('Please stop.', False),
    ],
)  # fmt: skip
def test_short_answers(text: str, answer: bool) -> None:
    assert is_answer(text) is answer


@pytest.mark.parametrize(
    ('language', 'whole', 'begun'),
    [
        ('de', 'Warte, bitte.', 'Bitte warte'),
        ('fr', "Attends, s'il te plaît.", "S'il te plaît, attends"),
        ('es', 'Espere, por favor.', 'Por favor, espere'),
    ],
)
def test_a_please_at_the_beginning_begins_a_sentence(language: str, whole: str, begun: str) -> None:
    assert is_answer(whole, language)
    assert not is_answer(begun, language)


def test_words_of_a_turn_are_joined_and_forgotten() -> None:
    heard = WordsHeard()
    assert not heard.expected
    heard.hear(1, 'I would', 0.0, 1.0)
    heard.hear(1, 'I would like', 0.0, 1.5)
    heard.hear(2, 'a tea.', 2.5, 3.0)
    heard.hear(2, '  ', 2.5, 3.0)
    assert heard.now is not None
    assert heard.now.turn == 'I would like a tea.'
    assert heard.now.cover(3.2)
    assert not heard.now.cover(3.5)
    assert heard.since(2.6) is heard.now
    assert heard.since(3.0) is None
    heard.clear()
    assert heard.now is None
    assert heard.expected


@pytest.mark.parametrize(
    ('text', 'sure'),
    [
        ('Stop', True), ('Can you stop', True), ('NO!', True), ('Please tell', False),
        ('You add ice.', False), ('Please tell me about', True), ('', False),
    ],
)  # fmt: skip
def test_which_unfinished_words_leave_no_doubt(text: str, sure: bool) -> None:
    assert is_sure(text) is sure


def test_words_are_final_unless_said_otherwise() -> None:
    heard = WordsHeard()
    heard.hear(1, 'Yet', 0.0, 1.0, final=False)
    assert heard.now is not None
    assert not heard.now.final
    heard.hear(1, 'Yeah.', 0.0, 1.0)
    assert heard.now.final


@pytest.mark.parametrize(
    ('language', 'text', 'asks'),
    [
        ('en', 'Show me how to boil an egg.', True), ('en', 'Please tell me more', True),
        ('en-US', 'Okay. Take me to the kitchen.', True), ('en', 'I told you.', False),
        ('en', 'Take me', False), ('en', 'Show it to me. That is good.', False), ('en', '', False),
        ('en', "What's the price of it.", True), ('en', 'Why does it make that noise.', True),
        ('en', 'Which train should I take.', True), ('en', 'Are you a robot.', True),
        ('en', 'Um, please explain why it rains.', True), ('en', 'So is it late.', True),
        ('en', 'I need a book, where do I get it.', True),
        ('en', 'I have eggs, what can I cook.', True), ('en', 'My friend, who is old.', False),
        ('en', 'What I like is tea.', False), ('en', 'He wrote the play.', False),
        ('de', 'Erzähl mir einen Witz.', True), ('de', 'Ich erzähle einen Witz.', False),
        ('fr', 'Raconte-moi une belle histoire.', True), ('fr', 'Donnez moi une pomme.', True),
        ('es', 'Cuéntame un buen chiste.', True), ('fi', 'tell me a joke', False),
    ],
)  # fmt: skip
def test_requests(language, text, asks):
    assert is_request(text, language) is asks
