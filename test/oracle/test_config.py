import pytest

from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.llm.backend import Backend

BACKEND = Backend('ollama', 'scripted')


@pytest.mark.parametrize(
    'marks', ['e', '.', '...', 'a...', '<a>...', '...</a>', '<a>...b', '<a> 7']
)
def test_marks_that_would_hide_an_answer_are_refused_in_a_sentence(marks):
    with pytest.raises(ValueError, match='hidden_marks are such as <pad>') as caught:
        OracleConfig((BACKEND,), hidden_marks=marks)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('marks', ['', '<pad>', '<a>...</a> <b>', '⟦...⟧', '(a+)+$', '§'])
def test_marks_that_hide_what_they_enclose_are_taken(marks):
    assert OracleConfig((BACKEND,), hidden_marks=marks).marks == tuple(marks.split())
