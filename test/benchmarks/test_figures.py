"""The figures that README.md and docs/ tell are those of the result files."""

import json

import figures
import pytest


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A README with a figure, the words around it, and a result file."""
    monkeypatch.setattr(figures, 'ROOT', tmp_path)
    monkeypatch.setattr(figures, 'PLACES', tmp_path / 'figures.yaml')
    monkeypatch.setattr(figures, 'RESULTS', tmp_path)
    (tmp_path / 'figures.yaml').write_text(
        'README.md:\n'
        "  - 'answers in {talk.latency_s:.2f} s, of which {talk.words.wrong:.0%} wrong'\n"
    )
    (tmp_path / 'README.md').write_text('It answers in 0.80\ns, of which 3 % wrong.\n')
    write(tmp_path, {'latency_s': 0.8, 'words': {'wrong': 0.03}})
    return tmp_path


def write(folder, measured, busy=False):
    content = {'busy': busy, 'figures': measured}
    (folder / 'talk.json').write_text(json.dumps(content))


def test_no_figure_of_ours_has_drifted():
    assert [(path.name, after) for path, _, after in figures.drifted()] == []


def test_every_place_of_ours_has_a_figure():
    for group in figures.places().values():
        assert all(place.figures for place in group)


def test_what_is_right_has_not_drifted(repository):
    assert list(figures.drifted()) == []


def test_what_has_drifted_is_filled_in_and_the_lines_stay(repository):
    write(repository, {'latency_s': 0.7549, 'words': {'wrong': 0.0951}})
    [(_, _, after)] = figures.drifted()
    assert after == 'It answers in 0.75\ns, of which 10 % wrong.\n'


@pytest.mark.parametrize(
    'text',
    [
        'It answers quickly.',
        'It answers in no time s, of which 3 % wrong.',
        2 * 'It answers in 0.80 s, of which 3 % wrong. ',
    ],
)
def test_words_that_are_not_there_once_are_an_error(repository, text):
    (repository / 'README.md').write_text(text)
    with pytest.raises(figures.FigureError, match='found: answers in'):
        list(figures.drifted())


@pytest.mark.parametrize('measured', [{}, {'latency_s': None}, {'latency_s': {'median': 1.0}}])
def test_a_result_without_the_number_is_an_error(repository, measured):
    write(repository, {'words': {'wrong': 0.0}, **measured})
    with pytest.raises(figures.FigureError, match='latency_s'):
        list(figures.drifted())


def test_what_was_never_measured_is_typed_by_hand(repository):
    (repository / 'talk.json').unlink()
    assert [figure.name for _, figure in figures.typed_by_hand()] == ['latency_s', 'words.wrong']
    assert list(figures.drifted()) == []


def test_times_of_a_busy_machine_are_not_told(repository):
    write(repository, {'latency_s': 1.6, 'words': {'wrong': 0.2}}, busy=True)
    assert list(figures.drifted()) == []
    assert [figure.name for _, figure in figures.typed_by_hand()] == ['latency_s', 'words.wrong']
