import pytest

from kame_ros.evaluation.questions import read_questions
from kame_ros.evaluation.suite import BadSuite
from kame_ros.evaluation.words import hit


def test_ours_are_forty_and_their_answers_are_right():
    pytest.importorskip('whisper_normalizer', reason='make setup-eval')
    questions = read_questions()
    assert len(questions) == 40
    assert len({q.id for q in questions}) == 40
    assert not [q.id for q in questions if not hit(q.answer, q.accepted)]
    assert not [q.id for q in questions if hit(q.text, q.accepted)]  # no echo is an answer


def test_a_text_may_hold_what_looks_like_the_end_of_a_line(tmp_path):
    (tmp_path / 'q.jsonl').write_text('{"id": "a", "text": "Who\u2028is?"}\r\n')
    assert [q.text for q in read_questions(tmp_path / 'q.jsonl')] == ['Who\u2028is?']


def test_another_encoding_is_told(tmp_path):
    (tmp_path / 'q.jsonl').write_bytes('{"id": "a", "text": "größer?"}'.encode('latin-1'))
    with pytest.raises(BadSuite, match=r'q\.jsonl: it is no text in UTF-8'):
        read_questions(tmp_path / 'q.jsonl')


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('{"id": "a"}', 'line 1, is no question: it lacks text'),
        ('{}', 'it lacks id and text'),
        ('no json', 'line 1, is no question: it is not JSON'),
        ('{"id": "a", "text": "x", "accepted": ["("]}', 'accepted has no regular expression'),
        ('{"id": "a", "text": "x", "accepted": "paris"}', 'accepted is not a list'),
        ('{"id": "a", "text": "x", "accepted": [1]}', 'accepted is not a list'),
        ('null', 'it is not an object'),
        ('{"id": "a", "text": ""}', 'characters'),
        ('', '0 questions'),
        ('[1]', 'it is not an object'),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path, line, reason):
    path = tmp_path / 'q.jsonl'
    path.write_text(line)
    with pytest.raises(BadSuite, match=reason):
        read_questions(path)
