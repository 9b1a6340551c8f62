import math

import pytest

from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.statistics import Interval
from kame_ros.evaluation.summary import per_question, summarise
from kame_ros.evaluation.tables import main_table, scene_table, share

pytest.importorskip('scipy', reason='make setup-eval')


def score(metric, value, item='a', repetition=1, turn=1, kind='question', category='fact'):
    return Score(item, repetition, kind, category, turn, metric, value)


def test_a_run_of_questions():
    rows = []
    for n, (right, latency) in enumerate([(1, -0.5), (0, 1.0), (1, 2.0), (1, None)]):
        item = f'q{n}'
        rows += [score('hit_spoken', right, item), score('answered', latency is not None, item)]
        rows += [score('latency', latency, item)] if latency is not None else []
        rows += [
            score('question_errors', n, item, turn=0),
            score('question_words', 5, item, turn=0),
        ]
    found = summarise(rows)
    assert (found.conversations, found.repetitions) == (4, 1)
    assert found.facts['spoken'].value == 0.75
    assert found.latency.median.value == 1.0
    assert found.latency.below_0 == pytest.approx(1 / 3)
    assert found.latency.unanswered == 0.25
    assert found.question_wer == 6 / 20  # pooled
    assert math.isnan(found.answer_wer)
    table = main_table({'run': found})
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells['spoken'].startswith('3 of 4')
    assert cells['< 0'] == '33 %'
    assert (cells['p90'], cells['p95']) == ('+1.80 s', '+1.90 s')  # of -0.5, 1 and 2 s
    assert 'signed' in ' '.join(table.notes)


def test_repetitions_have_a_spread():
    rows = [score('hit_spoken', v, i, r) for i, r, v in (('a', 1, 1), ('a', 2, 0), ('b', 1, 1))]
    rows.append(score('hit_spoken', 1, 'b', 2))
    found = summarise(rows)
    assert found.facts['spoken'].value == 0.75
    assert found.facts_spread['spoken'] == pytest.approx(0.3536, abs=1e-3)
    assert per_question(rows, 'hit_spoken') == {'a': 0.5, 'b': 1.0}
    assert 's.d. of runs' in main_table({'run': found}).columns


def test_the_average_of_the_bench_is_that_of_its_categories():
    rows = []
    for category, values in {'reasoning': (1, 3), 'stem': (8,)}.items():
        for n, value in enumerate(values):
            place = {'kind': 'mtbench', 'category': category}
            rows.append(score('judged_spoken', value, f'{category}{n}', **place))
    found = summarise(rows)
    assert found.judged['spoken'][''].value == 5.0
    assert found.judged['spoken']['reasoning'].value == 2.0


def test_scenes_have_a_line_each():
    rows = [
        score('cut_in', 1, 'pause-0.8@v', kind='pause', turn=0),
        score('cut_in', 0, 'pause-2@v', kind='pause', turn=0),
        score('stop_s', 0.5, 'i', kind='interruption', turn=0),
        score('latency', 9.0, 'i', kind='interruption', turn=1),  # of the question before
        score('latency', 1.0, 'i', kind='interruption', turn=2),
    ]
    found = summarise(rows)
    assert found.pauses['0.8'].value == 1.0
    assert found.scenes['interruption']['latency'].value == 1.0
    lines = {row[:2]: row[2] for row in scene_table({'run': found}).rows}
    assert lines['interruption', 'stop_s'] == '0.50 s (n = 1)'


def test_nothing_is_a_dash():
    assert share(None) == '-'
    assert share(Interval(math.nan, math.nan, math.nan, 0)) == '-'
    assert share(Interval(0.5, 0.35, 0.65, 40)) == '20 of 40 (35-65 %)'
