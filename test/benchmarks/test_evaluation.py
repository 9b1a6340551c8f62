"""The plan of the evaluation, and that it goes on where it was; nothing is led here."""

import argparse
import json
from pathlib import Path

import pytest

pytest.importorskip('scipy', reason='make setup-eval')

import evaluation
import evaluation_tables

from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.score_file import write_scores
from kame_ros.evaluation.suite import Cue, Item, Suite

VOICES = ['hibari', 'slt']
CONFIGS = ['cascade', 'tandem']


def suite(folder, name, names):
    cue = Cue('a.wav', accepted=('yes',))
    items = tuple(
        Item(f'{n}@{voice}', n.partition('-')[0], (cue,), 'fact', voice)
        for voice in VOICES
        for n in names
    )
    return Suite(name, items, Path(folder), sounds={'a.wav': '0'}, voices=tuple(VOICES))


@pytest.fixture
def facts(tmp_path):
    return suite(tmp_path, 'facts', [f'fact-{n:02d}' for n in range(8)])


@pytest.fixture
def scenes(tmp_path):
    return suite(tmp_path, 'scenes', ['monologue', 'pause-0.8', 'interrupt-stop'])


def options(work, **changes):
    told = {'configs': CONFIGS, 'voices': VOICES, 'facts': 4, 'scenes': 2, 'repeat': 2}
    told |= {'hold': [0.0, 1.0], 'hold_facts': 2, 'hold_repeat': 1, 'work': work}
    return argparse.Namespace(**{**told, **changes})


def test_questions_are_spread_over_the_list_and_the_voices(facts):
    chosen = [item.id for item in evaluation.spread(facts.items, VOICES, 4)]
    assert chosen == ['fact-00@hibari', 'fact-02@slt', 'fact-04@hibari', 'fact-06@slt']
    assert len({i.id for i in evaluation.spread(facts.items, VOICES, 99)}) == len(facts.items)
    once = evaluation.spread(facts.items, VOICES, 8)
    assert len({item.id.partition('@')[0] for item in once}) == 8


def test_fewer_scenes_are_those_that_are_told(scenes):
    chosen = [item.id for item in evaluation.first_scenes(scenes.items, VOICES, 2)]
    assert chosen == ['pause-0.8@hibari', 'interrupt-stop@slt']
    assert len(evaluation.first_scenes(scenes.items, VOICES, 99)) == len(scenes.items)


def test_the_first_repetition_has_something_of_each(tmp_path, facts, scenes):
    parts = evaluation.parts(options(tmp_path), facts, scenes)
    assert [(part.name, part.repetition) for part in parts] == [
        ('text', 1),
        *((f'{name}-{config}', 1) for name in ('facts', 'scenes') for config in CONFIGS),
        *((f'facts-{config}-hold-1', 1) for config in CONFIGS),
        *((f'{name}-{config}', 2) for name in ('facts', 'scenes') for config in CONFIGS),
    ]
    assert len(parts[0].items) == 8  # in writing all of them, in one voice
    assert {item.id for item in parts[5].items} < {item.id for item in parts[1].items}
    assert parts[5].command(tmp_path)[-2:] == ['--hold', '1']
    assert parts[0].command(tmp_path)[-1] == '--text-only'


@pytest.fixture
def led(tmp_path, facts, scenes, monkeypatch):
    """All parts, and a `kame eval` that notes what it is asked and leads without a graph."""
    asked = []
    monkeypatch.setattr(Suite, 'about_s', lambda self, items: 10.0 * len(list(items)))

    def call(command):
        folder = Path(command[command.index('-o') + 1]) if '-o' in command else Path(command[-1])
        asked.append((command[4], folder.name))
        if command[4] == 'score':
            write_scores(folder, rows(folder.name), {'stt': 'whisper-base'})
            return
        items = command[command.index('--items') + 1].split(',')
        for item in items:
            if '--text-only' in command:
                place = folder / 'texts' / f'{item}.1.json'
            else:
                number = command[command.index('--repeat') + 1]
                place = folder / 'items' / item / number / 'done.json'
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()

    def rows(name):
        found = []
        for n, item in enumerate(scenes.items if name.startswith('scenes') else facts.items):
            for repetition in (1, 2):
                kind = item.kind if name.startswith('scenes') else 'question'
                place = (item.id, repetition, kind, item.category)
                if name == 'text':
                    found.append(Score(*place, 1, 'hit_text', n % 2))
                elif name.startswith('scenes'):
                    found.append(Score(*place, 0, 'cut_in', repetition - 1))
                else:
                    found.append(Score(*place, 1, 'hit_spoken', float(n % 4 == 0)))
                    found.append(Score(*place, 1, 'answered', 1.0))
                    found.append(Score(*place, 1, 'latency', n + 1.0))
        return found

    monkeypatch.setattr(evaluation, '_call', call)
    return evaluation.parts(options(tmp_path), facts, scenes), asked


def test_what_is_led_is_not_led_again(tmp_path, led):
    parts, asked = led
    evaluation.lead(parts, tmp_path, float('inf'))
    assert [name for what, name in asked if what == 'run'] == [part.name for part in parts]
    assert len((tmp_path / 'parts.jsonl').read_text().splitlines()) == len(parts)
    asked.clear()
    evaluation.lead(parts, tmp_path, float('inf'))
    assert asked == []
    assert '0 minutes' in evaluation._plan(parts, tmp_path).splitlines()[-1]


def test_nothing_begins_that_does_not_end_in_time(tmp_path, led):
    parts, asked = led
    evaluation.lead(parts, tmp_path, 0.0)
    assert asked == []
    assert not (tmp_path / 'parts.jsonl').exists()


def test_only_what_changed_is_scored(tmp_path, led):
    parts, asked = led
    evaluation.lead(parts, tmp_path, float('inf'))
    asked.clear()
    evaluation.score(parts, tmp_path)
    assert [name for what, name in asked if what == 'score'] == list(
        dict.fromkeys(part.name for part in parts)
    )
    asked.clear()
    evaluation.score(parts, tmp_path)
    assert asked == []


def test_the_tables_are_those_of_the_scores(tmp_path, led):
    parts, _ = led
    evaluation.lead(parts, tmp_path, float('inf'))
    evaluation.score(parts, tmp_path)
    figures = evaluation.measured(parts, tmp_path, CONFIGS)
    assert figures['questions'] == 4
    assert (figures['text']['all']['right'], figures['text']['all']['of']) == (4, 8)
    assert figures['text']['chosen'] == {'right': 0.0, 'of': 4}
    told = figures['configs']['tandem']
    # fact-00@hibari and fact-04@hibari are right, fact-02@slt and fact-06@slt are not
    assert told['facts']['right']['spoken']['right'] == 4
    assert told['facts']['right']['spoken']['of'] == 8
    assert told['scenes']['cut_in'] is not None
    assert told['scenes']['cut_in_by_pause_s']['0.8']['right'] == 1
    assert sorted(told['hold']) == ['0', '1']
    assert told['hold']['1']['questions'] == 2
    machine = {'processor': 'A Processor', 'cores': 2, 'gpu': ''}
    result = {'machine': machine, 'date': '2026-11-26', 'busy': False, 'figures': figures}
    text = evaluation_tables.full(result)
    assert '| … **as a stranger heard them (spoken)** | 4 of 8' in text
    assert '| … of 0.8 s | 1 of 2 | 1 of 2 |' in text
    assert '| 1 s |' in text
    assert 'other programs' not in text
    assert 'other programs took 1.5' in evaluation_tables.full(
        {**result, 'busy': True, 'others_cores': 1.5}
    )
    assert text == evaluation_tables.full(json.loads(json.dumps(result)))
    assert '| right: ' in evaluation_tables.short(result)


def test_the_picture_has_a_line_for_each_configuration(tmp_path, led):
    pytest.importorskip('matplotlib', reason='make setup-eval')
    parts, _ = led
    evaluation.lead(parts, tmp_path, float('inf'))
    assert evaluation.picture(evaluation.measured(parts, tmp_path, CONFIGS)) == ''  # not scored
    evaluation.score(parts, tmp_path)
    drawn = evaluation.picture(evaluation.measured(parts, tmp_path, CONFIGS))
    assert drawn.count('>cascade<') == drawn.count('>tandem<') == 1


def test_a_table_is_put_between_its_marks():
    begin, end = evaluation_tables.BEGIN, evaluation_tables.END
    once = evaluation_tables.filled(f'a\n{begin}\nold\n{end}\nb\n', 'new \\1')
    assert once == f'a\n{begin}\nnew \\1\n{end}\nb\n'
    assert evaluation_tables.filled(once, 'new \\1') == once
    for text in ('no marks', once + once):
        with pytest.raises(evaluation_tables.BlockError, match='pairs'):
            evaluation_tables.filled(text, 'new')


def test_our_files_have_the_marks():
    for name in ('README.md', 'docs/evaluation.md'):
        text = (evaluation.ROOT / name).read_text(encoding='utf-8')
        assert evaluation_tables.filled(text, 'x') != text
