"""The stages of what kame-small is trained on: each is made once, and anew where it is broken."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kame_ros.s2s.small import pieces, units
from kame_ros.training.small import bank_file, prepare, robot_bank, voices
from kame_ros.training.small.config import SmallRecipe
from kame_ros.training.small.corpus import NoTextsError
from kame_ros.training.small.espeak import EspeakMissingError
from kame_ros.training.small.flite import FliteMissingError, FliteVoice
from kame_ros.training.small.ingredients import Ingredients
from kame_ros.training.small.robot_bank import ToldSentence

RECIPE = SmallRecipe(hours=0.004, users=2)
FILES = {
    'robot_00.npz', 'robot_01.npz', 'phrases.npz', 'held_out.npz', 'users_00.npz', 'users_01.npz',
    'users_held_out.npz', 'parts.json',
}  # fmt: skip


class QuickTeller:
    """Stands for the voice: 20 frames for each text."""

    left_out = 0

    def tell(self, texts):
        for text in texts:
            codes = np.full((20, 8), 3, np.int16)
            yield ToldSentence(text, codes, np.ones(2, np.int16), np.array([0, 5], np.int16))


@pytest.fixture
def machine(monkeypatch):
    """One with all voices, which say little, and at once."""
    monkeypatch.setattr(robot_bank, 'Teller', QuickTeller)
    monkeypatch.setattr(robot_bank, 'SENTENCES', 5)
    monkeypatch.setattr(robot_bank, 'HELD_OUT', 2)
    monkeypatch.setattr(voices, 'present', lambda some: tuple(some))
    made = []

    def users(path, speakers, counts, seed, progress):
        made.append((path.name, len(speakers), seed))
        arrays = {
            'features': np.zeros((24, 84), np.uint8),
            'starts': np.arange(0, 25, 4),
            'kind': np.arange(6, dtype=np.uint8),
            'room': np.zeros(6, np.uint8),
        }
        bank_file.write(path, arrays)
        progress(1, 1)

    monkeypatch.setattr('kame_ros.training.small.users.make', users)
    return made


def times(bank):
    return {path.name: path.stat().st_mtime_ns for path in bank.iterdir()}


def test_all_stages_are_made_and_kept(machine, texts, tmp_path):
    told = []
    bank = prepare.prepare(RECIPE, tmp_path, texts, tell=lambda *what: told.append(what))
    assert set(times(bank)) == FILES
    assert [stage for stage, _, _ in told[-3:]] == [
        f'users speak ({name}.npz)' for name in ('users_held_out', 'users_00', 'users_01')
    ]
    assert told[0][0] == 'the robot speaks'
    assert machine[0][1] == len(voices.HELD_OUT)
    assert len({seed for _, _, seed in machine}) == 3
    before = times(bank)
    prepare.prepare(RECIPE, tmp_path, texts)
    after = times(bank)
    assert {name for name in FILES if before[name] != after[name]} <= {'parts.json'}
    assert not prepare.missing(RECIPE, tmp_path).any


def test_scenes_can_be_made_of_it(machine, texts, tmp_path):
    bank = prepare.prepare(RECIPE, tmp_path, texts)
    ingredients = Ingredients.of(bank, 6, 50)
    assert sum(ingredients.phrase_counts) == 16
    scene = ingredients.maker(1).scene(50)
    assert scene.codes.shape == (50, 8)
    assert ingredients.silence.tolist() == units.Codebooks.load().silence.tolist()
    assert len(ingredients.begins_word) == len(pieces.Pieces.load().names)


def test_a_whole_bank_needs_neither_texts_nor_voices(machine, texts, tmp_path, monkeypatch):
    prepare.prepare(RECIPE, tmp_path, texts)
    monkeypatch.delattr(robot_bank, 'Teller')
    monkeypatch.delattr(voices, 'present')
    prepare.prepare(RECIPE, tmp_path, tmp_path / 'nowhere')


def test_a_broken_file_is_made_anew_alone(machine, texts, tmp_path):
    bank = prepare.prepare(RECIPE, tmp_path, texts)
    for name in ('robot_00.npz', 'users_01.npz'):
        (bank / name).write_bytes((bank / name).read_bytes()[:100])
    before = times(bank)
    missing = prepare.missing(RECIPE, tmp_path)
    assert missing.hours == RECIPE.hours  # up to the first that is broken
    assert [path.name for path in missing.users] == ['users_01.npz']
    assert missing.minutes > 0
    prepare.prepare(RECIPE, tmp_path, texts)
    after = times(bank)
    changed = {name for name in FILES if before[name] != after[name]}
    assert changed == {'robot_00.npz', 'users_01.npz', 'parts.json'}
    assert not prepare.missing(RECIPE, tmp_path).any


def test_more_hours_are_added(machine, texts, tmp_path):
    bank = prepare.prepare(RECIPE, tmp_path, texts)
    prepare.prepare(SmallRecipe(hours=0.006, users=2), tmp_path, texts)
    assert (bank / 'robot_02.npz').exists()


def test_what_was_made_with_other_codebooks_is_made_anew(machine, texts, tmp_path, monkeypatch):
    bank = prepare.prepare(RECIPE, tmp_path, texts)
    before = times(bank)
    monkeypatch.setattr(bank_file, 'books', lambda: 'others')
    prepare.prepare(RECIPE, tmp_path, texts)
    after = times(bank)
    same = {name for name in FILES if before[name] == after[name]}
    assert same == {'users_00.npz', 'users_01.npz', 'users_held_out.npz'}


def test_codebooks_and_pieces_are_made_anew_once(machine, texts, tmp_path, monkeypatch):
    for module, name in ((units, 'codebooks.npz'), (pieces, 'pieces.json')):
        shutil.copy(module.FILE, tmp_path / name)
        monkeypatch.setattr(module, 'FILE', tmp_path / name)
    made = []
    with np.load(units.FILE) as file:
        books = {name: file[name] for name in file.files}
    books['first'] = books['first'] + np.float16(1)

    def codebooks(folder):
        made.append('codebooks')
        return books

    def names(folder):
        made.append('pieces')
        return ['', 'a', ' b']

    monkeypatch.setattr('kame_ros.training.small.codebooks.make', codebooks)
    monkeypatch.setattr('kame_ros.training.small.piece_maker.make', names)
    run = tmp_path / 'run'
    bank = prepare.prepare(RECIPE, run, texts)
    old = times(bank)
    assert prepare.missing(RECIPE, run, anew=True).books
    prepare.prepare(RECIPE, run, texts, anew=True)
    assert made == ['codebooks', 'pieces']
    assert json.loads(pieces.FILE.read_text()) == ['', 'a', ' b']
    assert units.Codebooks.load(units.FILE).first[0, 0] == pytest.approx(books['first'][0, 0])
    assert times(bank)['robot_00.npz'] != old['robot_00.npz']
    prepare.prepare(RECIPE, run, texts, anew=True)
    assert made == ['codebooks', 'pieces']


def test_missing_texts_are_one_sentence(machine, tmp_path):
    with pytest.raises(NoTextsError, match='apt-get download wordnet-base'):
        prepare.prepare(RECIPE, tmp_path, tmp_path / 'texts')


def test_voices_that_are_missing_are_told_of_before_the_work(machine, texts, tmp_path, monkeypatch):
    def present(some):
        raise EspeakMissingError('run "apt install libespeak-ng1"')

    monkeypatch.setattr(voices, 'present', present)
    with pytest.raises(EspeakMissingError):
        prepare.prepare(RECIPE, tmp_path, texts)
    assert not list((tmp_path / 'bank').iterdir())


def test_without_flite_the_others_speak(monkeypatch):
    def nothing(text, voice):
        raise FliteMissingError('not there')

    monkeypatch.setattr('kame_ros.training.small.espeak.speak', lambda text, voice: None)
    monkeypatch.setattr('kame_ros.training.small.flite.speak', nothing)
    left = voices.present(voices.TRAINING)
    assert 0 < len(left) < len(voices.TRAINING)
    assert not any(isinstance(voice, FliteVoice) for voice in left)
    monkeypatch.setattr('kame_ros.training.small.flite.speak', lambda text, voice: None)
    assert voices.present(voices.HELD_OUT) == voices.HELD_OUT


def test_the_recipe_is_in_the_package():
    assert Path(prepare.__file__).with_name('kame-small.yaml').is_file()
