"""`kame train`, as a user runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fake_bank
import pytest
import random_small

import kame_ros
from kame_ros.cli import main
from kame_ros.commands.train_measure import small_weights
from kame_ros.training.small.cases import Cases
from kame_ros.training.small.espeak import EspeakMissingError
from kame_ros.training.small.flite import FliteMissingError


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    folder = tmp_path / 'talks'
    folder.mkdir()
    for name in ('one', 'two'):
        words = [
            {'speaker': 'BA'[n // 6], 'word': f'{name}{n}', 'start': n * 0.5, 'end': n * 0.5 + 0.4}
            for n in range(12)
        ]
        (folder / f'{name}.json').write_text(json.dumps(words))
    return folder


def test_random_oracles(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'oracles'
    wanted = ['train', 'oracles', str(talk), '-o', str(out), '--random']
    assert main(wanted) == 0
    assert sorted(path.name for path in out.iterdir()) == ['one.jsonl', 'two.jsonl']
    rows = [json.loads(line) for line in (out / 'one.jsonl').read_text().splitlines()[1:]]
    assert rows[-1]['text'] == 'one6 one7 one8 one9 one10 one11'
    assert 'two6' in rows[0]['text']
    assert main(wanted) == 0
    assert '0 oracles to write' in capsys.readouterr().err


def test_a_dry_run_asks_nobody(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / 'oracles'
    backend = ['--backend', 'openai:m@http://127.0.0.1:9', '--price-in', '1000']
    assert main(['train', 'oracles', str(talk), '-o', str(out), *backend, '--dry-run']) == 0
    said = ' '.join(capsys.readouterr().err.split())
    assert '2 dialogues, 6 oracles to write, 4 calls' in said
    assert 'at the given prices' in said


@pytest.mark.parametrize(
    ('rows', 'reason'),
    [([{'speaker': 'A', 'word': 'x'}], 'has no'), ({}, 'list of words')],
)
def test_bad_transcripts_are_one_sentence(
    tmp_path: Path, rows: object, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'bad.json'
    path.write_text(json.dumps(rows))
    assert main(['train', 'oracles', str(path), '-o', str(tmp_path / 'o'), '--random']) == 1
    said = ' '.join(capsys.readouterr().err.split())
    assert reason in said
    assert 'bad.json' in said.replace(' ', '')


def test_an_unknown_backend_is_refused(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ['train', 'oracles', str(talk), '-o', str(tmp_path / 'o'), '--backend', 'magic:m']
    assert main(wanted) == 1
    assert "there is no LLM client 'magic'" in ' '.join(capsys.readouterr().err.split())


def test_no_transcripts(tmp_path: Path) -> None:
    assert main(['train', 'oracles', str(tmp_path), '-o', str(tmp_path / 'o'), '--random']) == 1


@pytest.mark.long
@pytest.mark.models
def test_oracles_of_a_real_llm(talk: Path, tmp_path: Path) -> None:
    out = tmp_path / 'oracles'
    backend = ['--backend', 'embedded:smollm2-135m-instruct']
    assert main(['train', 'oracles', str(talk), '-o', str(out), *backend]) == 0
    rows = [json.loads(line) for line in (out / 'two.jsonl').read_text().splitlines()[1:]]
    assert len(rows) == 3
    assert all(row['text'].strip() for row in rows)


@pytest.mark.parametrize(
    ('seconds', 'reason'),
    [('nan', 'no number above 0'), ('-1', 'no number above 0'), ('1e9', 'at most 300 s')],
)
def test_a_picture_of_endless_time_is_refused(
    seconds: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'data.json').write_text('{}')
    given = ['train', 'look', str(tmp_path), '-o', str(tmp_path / 'a.png'), '--seconds', seconds]
    with pytest.raises(SystemExit):  # as argparse does
        sys.exit(main(given))
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments',
    [
        ('oracles', 'absent', '-o', 'out', '--random'),
        ('prepare', '--verify', 'absent'),
        ('measure', 'absent'),
        ('look', 'absent'),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_is_not_there_is_told_in_words_and_not_made(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(['train', *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith('error: ')
    assert 'absent' in said or 'is not installed' in said
    assert 'Errno' not in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_small_without_texts_says_how_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('kame_ros.training.small.voices.present', tuple)
    assert main(['train', 'small', str(tmp_path)]) == 1
    said = ' '.join(capsys.readouterr().err.split())
    assert 'there is no WordNet below' in said
    assert 'apt-get download wordnet-base' in said


@pytest.mark.parametrize(
    ('recipe', 'reason'),
    [
        ('steps: 0', 'steps must be at least 1'),
        ('hours: -2', 'hours must be above 0'),
        (None, 'recipe.yaml cannot be read'),
    ],
)
def test_a_recipe_that_cannot_be_is_one_sentence(
    recipe: str | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'recipe.yaml'
    if recipe is not None:
        path.write_text(recipe)
    assert main(['train', 'small', str(tmp_path), '--config', str(path)]) == 1
    assert reason in ' '.join(capsys.readouterr().err.split())


SMALL_RECIPE = """
hours: 0.001
users: 2
size: {dim: 48, layers: 1, heads: 2, hidden: 32, depth: {dim: 32, layers: 1, heads: 2, hidden: 32}}
steps: 2
batch: 4
frames: 40
pool: 64
"""


def test_small_trains_on_a_bank_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('torch')
    fake_bank.write_whole(tmp_path)
    monkeypatch.setattr(
        'kame_ros.training.small.prepare.prepare', lambda recipe, folder, *rest: folder
    )
    recipe = tmp_path / 'recipe.yaml'
    recipe.write_text(SMALL_RECIPE)
    wanted = ['train', 'small', str(tmp_path), '--config', str(recipe), '--device', 'cpu']
    assert main([*wanted, '--prepare']) == 0
    assert not (tmp_path / 'kame_small').exists()
    assert main(wanted) == 0
    assert json.loads((tmp_path / 'kame_small/config.json').read_text())['dim'] == 48
    assert main([*wanted, '--steps', '3']) == 0
    rows = [json.loads(line)['step'] for line in (tmp_path / 'log.jsonl').read_text().splitlines()]
    assert rows == [2, 3]
    (tmp_path / 'state.pt').write_bytes(b'no state')
    assert main(wanted) == 1
    assert 'state.pt is damaged' in ' '.join(capsys.readouterr().err.split())


def test_a_dry_run_of_small_tells_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('torch')
    recipe = tmp_path / 'recipe.yaml'
    recipe.write_text(SMALL_RECIPE)
    wanted = ['train', 'small', str(tmp_path / 'run'), '--config', str(recipe), '--device', 'cpu']
    assert main([*wanted, '--dry-run']) == 0
    said = ' '.join(capsys.readouterr().err.split())
    assert 'to be made: 0.0 h of speech, 3 files of users' in said
    assert f'missing: there is no WordNet below {tmp_path / "run" / "texts"}; get it with' in said
    assert 'a part of a step is tried' in said
    assert 'M parameters' in said
    assert 'for 2 steps' in said
    assert not (tmp_path / 'run').exists()


def test_what_is_measured_tells_itself_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = Path(kame_ros.__file__).parent
    random_small.write(tmp_path / 'run/kame_small')
    assert small_weights('kame-small') == 'kame-small'
    assert small_weights(str(own / 's2s/small/kame_small')) is not None
    assert small_weights(str(tmp_path / 'run')) == str(tmp_path / 'run/kame_small')
    assert small_weights(str(tmp_path)) is None
    assert main(['train', 'measure', str(tmp_path)]) == 1
    assert 'holds no kame-small' in ' '.join(capsys.readouterr().err.split())
    assert main(['train', 'measure', 'kame-small', '--kinds', 'songs']) == 1
    assert "no trials are 'songs'" in ' '.join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ('command', 'option', 'value', 'reason'),
    [
        ('measure', '--trials', '0', 'is no whole number from 1 on'),
        ('measure', '--trials', '-1', 'is no whole number from 1 on'),
        ('measure', '--seed', '-1', 'is no whole number from 0 on'),
        ('small', '--steps', '-5', 'is no whole number from 1 on'),
        ('small', '--steps', '0', 'is no whole number from 1 on'),
        ('small', '--hours', '-2', 'is no number above 0'),
        ('small', '--steps', 'many', 'is no whole number from 1 on'),
        ('small', '--hours', 'nan', 'is no number above 0'),
        ('small', '--hours', '0', 'is no number above 0'),
        ('small', '--workers', '-1', 'is no whole number from 0 on'),
        ('small', '--device', 'abacus', 'is no device: cpu, cuda, cuda:0 or auto'),
    ],
)
def test_a_number_outside_its_limits_is_refused_by_its_option(
    command: str, option: str, value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(['train', command, 'run', f'{option}={value}'])
    said = ' '.join(capsys.readouterr().err.split())
    assert f'argument {option}: {value!r} {reason}' in said


@pytest.mark.parametrize(
    ('given', 'reason'),
    [
        (('measure', 'run', '--json', 'absent/x.json'), 'there is no folder'),
        (('small', 'run', '--dry-run', '--texts', 'absent'), 'there is no folder absent'),
        (('small', 'run', '--dry-run', '--init', 'absent'), 'absent holds no kame-small'),
        (('small', 'run', '--dry-run', '--config', 'odd.yaml'), 'hours must be a number'),
    ],
)
def test_what_would_fail_after_the_work_is_refused_before(
    given: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path('odd.yaml').write_text('hours: .nan\n')
    assert main(['train', *given]) == 1
    said = ' '.join(capsys.readouterr().err.split())
    assert reason in said
    assert not Path('run').exists()


@pytest.mark.models
def test_the_small_model_of_the_package_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        Cases(1)
    except (FliteMissingError, EspeakMissingError) as error:
        pytest.skip(str(error))
    out = tmp_path / 'numbers.json'
    asked = ['--trials', '1', '--kinds', 'sentences', '--whisper', '', '--json', str(out)]
    assert main(['train', 'measure', 'kame-small', *asked]) == 0
    assert json.loads(out.read_text())['numbers'].keys() >= {
        'sentences_monologue_error', 'end_to_first_sound_s', 'step_median_ms',
    }  # fmt: skip
    assert 'monologue against oracle, sentences' in capsys.readouterr().out
