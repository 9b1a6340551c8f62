"""`kame train`, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kame_ros.cli import main


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
    assert "no back-end is called 'magic'" in ' '.join(capsys.readouterr().err.split())


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


@pytest.mark.long
@pytest.mark.models
def test_the_recipe_trains_goes_on_and_speaks(tmp_path: Path) -> None:
    """Two steps of the real recipe, then two more; the model loads in the front-end."""
    pytest.importorskip('torch')  # test/s2s/moshi hides that moshi is missing
    pytest.importorskip('moshi')
    from kame_ros.s2s.moshi.build import build
    from kame_ros.s2s.moshi.codec2 import Codec2MissingError, Codec2Voice
    from kame_ros.s2s.moshi.config import MoshiConfig
    from kame_ros.training.espeak import EspeakMissingError, Voice, speak

    try:
        Codec2Voice()
        speak('yes', Voice())
    except (Codec2MissingError, EspeakMissingError) as error:
        pytest.skip(str(error))
    out = tmp_path / 'run'
    for steps in (2, 4):
        assert main(['train', 'tiny', '-o', str(out), '--steps', str(steps)]) == 0
    rows = [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]
    assert [row['step'] for row in rows] == [2, 4]
    front_end = build(MoshiConfig(weights=str(out / 'checkpoint'), device='cpu'))
    front_end.warm_up()
