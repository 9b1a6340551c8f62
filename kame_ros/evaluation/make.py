"""Makes suites: questions, scenes of turn-taking, MT-Bench, and a folder of recordings."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.evaluation import noises, voices
from kame_ros.evaluation.questions import OURS, Question, read_questions
from kame_ros.evaluation.sound_file import write_wav
from kame_ros.evaluation.suite import (
    INTERRUPTION,
    MANIFEST,
    TURN,
    BadSuite,
    Cue,
    Item,
    Suite,
    check_inside,
    save,
)
from kame_ros.evaluation.voices import SpokenSound, joined, part, say
from kame_ros.runtime.weights import file_sha256
from kame_ros.text.json_lines import json_lines
from kame_ros.text.misfit import misfit

Progress = Callable[[str], None]
_LONGEST = 80  # characters of a part of a name, and bytes
CATEGORIES = ('reasoning', 'stem', 'humanities')  # of MT-Bench, on which KAME is scored
_SOUNDS = ('.wav', '.flac', '.ogg', '.mp3')
PAUSES_S = (0.5, 0.8, 1.2, 1.6, 2.0)
_NEXT_AFTER_S = 1.5  # of the robot's silence the second turn of MT-Bench begins
_OVER_S = 1.5  # of the robot's speech somebody speaks over it
_DB = 20.0

# Halves of questions, with the accepted answers of the whole.
_HALVES = (
    ('Could you please tell me', 'which planet is closest to the sun?', (r'\bmercury\b',)),
    ('I would like to know', 'how many legs a spider has.', (r'\b(8|eight)\b',)),
    (
        'What I always wanted to know is',
        'in which country the pyramids of Giza are.',
        (r'\begypt',),
    ),
    (
        'Now here is my question,',
        'what do bees collect from flowers?',
        (r'\bnectar\b', r'\bpollen\b'),
    ),
    ('My friend asked me', 'which ocean lies between Africa and America.', (r'\batlantic\b',)),
)
_LONG = (  # what is answered with more than a few words
    'Please tell me something about the moon, and why people like to look at it.',
    'Please explain to me how a bicycle works, and what it is good for.',
    'What can you tell me about the ocean and the animals that live in it?',
)
_MONOLOGUE = (
    'Yesterday I went to the market in the old town',
    'because I wanted to buy apples for a cake',
    'and on the way I met my neighbor',
    'who told me about her new garden',
    'where she grows tomatoes and beans',
    'and then we talked for a while about the weather',
    'which had been very dry this month',
    'so that she has to water the plants each evening',
    'and in the end I forgot the apples',
    'and had to go back once more.',
)
_CLAUSE_GAP_S = 0.4


class Builder:
    """Collects items and writes their sounds. `progress` is told the name of each sound."""

    def __init__(self, folder: Path, progress: Progress = lambda name: None) -> None:
        self._folder = folder
        self._progress = progress
        self.items: list[Item] = []
        self._sounds: dict[str, str] = {}
        if folder.exists() and not folder.is_dir():
            raise BadSuite(f'{folder} is no folder')
        if folder.is_dir() and any(folder.iterdir()):
            what = '' if (folder / MANIFEST).is_file() else ', and holds no whole suite'
            raise BadSuite(f'{folder} is not empty{what}: give a new folder with -o')
        (folder / 'sound').mkdir(parents=True)

    def sound(self, name: str, spoken: SpokenSound) -> dict[str, Any]:
        """Writes a sound; gives what a Cue says of it."""
        path = f'sound/{name}.wav'
        if path in self._sounds:
            raise BadSuite(f'{name} is there twice: give it another id, or another voice')
        samples = (np.clip(spoken.sound, -1, 1) * 32_767).astype(np.int16)
        write_wav(self._folder / path, samples, 24_000)
        self._sounds[path] = file_sha256(self._folder / path)
        self._progress(name)
        speech = tuple((round(a, 4), round(b, 4)) for a, b in spoken.speech)
        return {'sound': path, 'speech': speech}

    def add(self, item: Item) -> None:
        """One more."""
        self.items.append(item)

    def save(self, name: str, seed: int, voice_names: Sequence[str]) -> Suite:
        """Writes the manifest, last of all."""
        suite = Suite(name, tuple(self.items), self._folder, seed, tuple(voice_names), self._sounds)
        save(suite)
        return suite


def facts(
    folder: Path,
    voice_names: Sequence[str] = (voices.DEFAULT,),
    questions: Sequence[Question] = (),
    progress: Progress = lambda name: None,
) -> Suite:
    """Questions, each a dialogue of its own in each voice; without any given, the forty of ours."""
    builder = Builder(folder, progress)
    for voice in voice_names:
        for question in questions or read_questions(OURS):
            name = f'{_safe(question.id)}@{_safe(voice)}'
            cue = Cue(
                **builder.sound(name, say(question.text, voice)),
                text=question.text,
                accepted=question.accepted,
            )
            builder.add(Item(name, 'question', (cue,), question.category, voice))
    return builder.save('facts', 0, voice_names)


def scenes(
    folder: Path,
    voice_names: Sequence[str] = (voices.DEFAULT,),
    seed: int = 0,
    progress: Progress = lambda name: None,
) -> Suite:
    """Pauses, smooth turns, interruptions, back-channels both ways, talk to others, noise."""
    builder = Builder(folder, progress)
    for voice in voice_names:
        _pauses(builder, voice)
        _smooth(builder, voice)
        _over_the_robot(builder, voice)
        _monologue(builder, voice)
    _noise(builder, voice_names[0], np.random.default_rng(seed))
    return builder.save('scenes', seed, voice_names)


def _pauses(builder: Builder, voice: str) -> None:
    for um in (False, True):
        for number, pause in enumerate(PAUSES_S):
            if um and pause not in (0.8, 1.6):
                continue
            first, second, accepted = _HALVES[number]
            begin = f'{first} um' if um else first
            name = f'pause-{pause:g}{"-um" if um else ""}@{_safe(voice)}'
            spoken = joined([part(begin, voice), pause, part(second, voice)])
            text = f'{first} {second}'
            cue = Cue(**builder.sound(name, spoken), text=text, accepted=accepted)
            builder.add(Item(name, 'pause', (cue,), 'pause', voice, {'pause_s': pause, 'um': um}))


def _smooth(builder: Builder, voice: str) -> None:
    for first, second, accepted in _HALVES[1:3]:
        text = f'{first} {second}'
        name = f'smooth-{second.split()[-1].strip(".?")}@{_safe(voice)}'
        cue = Cue(**builder.sound(name, say(text, voice)), text=text, accepted=accepted)
        builder.add(Item(name, 'smooth', (cue,), 'smooth turn', voice))


def _over_the_robot(builder: Builder, voice: str) -> None:
    other = 'rms' if voice != 'rms' else 'slt'
    try:
        voices.say('Hello.', other)
    except BadSuite:  # flite is not installed: the voice of this package, in another throat
        other = 'hibari-low' if voice != 'hibari-low' else 'hibari'
    mercury = 'Wait, which planet is closest to the sun?'
    over = (
        ('interrupt-stop', INTERRUPTION, 'Stop.', (), voice, 0.0),
        ('interrupt-question', INTERRUPTION, mercury, (r'\bmercury\b',), voice, 0.0),
        ('backchannel-uhhuh', 'backchannel', 'Uh-huh.', (), voice, 0.0),
        ('backchannel-right', 'backchannel', 'Right.', (), voice, 0.0),
        ('backchannel-okay', 'backchannel', 'Okay.', (), voice, 0.0),
        ('to-other', 'to_other', 'Anna, have you seen my keys?', (), voice, -6.0),
        ('background', 'background', 'The train to the airport leaves at noon.', (), other, -15.0),
    )
    for number, (kind, role, text, accepted, speaker, gain_db) in enumerate(over):
        name, asked = f'{kind}@{_safe(voice)}', _LONG[number % len(_LONG)]
        question = Cue(**builder.sound(f'{name}-1', say(asked, voice)), text=asked)
        spoken = say(text, speaker)
        quiet = SpokenSound(spoken.sound * 10 ** (gain_db / _DB), spoken.speech)
        cue = Cue(
            **builder.sound(f'{name}-2', quiet),
            role=role,
            text=text,
            accepted=accepted,
            when='over_robot',
            seconds=_OVER_S,
        )
        category = 'interruption' if role == INTERRUPTION else role.replace('_', ' ')
        builder.add(Item(name, role, (question, cue), category, voice))


def _monologue(builder: Builder, voice: str) -> None:
    """The user speaks for half a minute: the robot listens, and may say "uh-huh" at a clause."""
    parts: list[np.ndarray | float] = []
    for clause in _MONOLOGUE:
        parts += [_CLAUSE_GAP_S] * bool(parts)
        parts.append(part(clause, voice))
    name = f'monologue@{_safe(voice)}'
    cue = Cue(**builder.sound(name, joined(parts)), text=' '.join(_MONOLOGUE))
    builder.add(Item(name, 'monologue', (cue,), 'back-channel by the robot', voice))


def _noise(builder: Builder, voice: str, rng: np.random.Generator) -> None:
    """Nobody speaks: the robot stays silent; and a cough while it speaks: it goes on."""
    cough = noises.cough(rng)
    sounds = {
        'cough': joined([0.5, cough, 1.0, cough, 0.5]),
        'knock': joined([0.5, noises.knock(), 0.3, noises.knock(), 1.0]),
        'music': joined([0.5, noises.music(4.0), 0.5]),
    }
    for kind, spoken in sounds.items():
        name = f'noise-{kind}'
        made = builder.sound(name, SpokenSound(spoken.sound, ()))
        builder.add(Item(name, 'silence', (Cue(**made, role='noise', text=kind),), 'noise'))
    name, asked = f'noise-over@{_safe(voice)}', _LONG[1]
    question = Cue(**builder.sound(f'{name}-1', say(asked, voice)), text=asked)
    made = builder.sound(f'{name}-2', SpokenSound(cough, ()))
    over = Cue(**made, role='noise', text='cough', when='over_robot', seconds=_OVER_S)
    builder.add(Item(name, 'noise', (question, over), 'noise', voice))


def mtbench(
    folder: Path,
    questions: Path,
    voice_names: Sequence[str] = (voices.DEFAULT,),
    categories: Sequence[str] = CATEGORIES,
    progress: Progress = lambda name: None,
) -> Suite:
    """Questions of two turns from FastChat's question.jsonl; the second waits for the robot.

    A file `spoken.jsonl` beside them may say how a turn is spoken: {question_id, turns}. Raises
    BadSuite or OSError.
    """
    path = questions / 'question.jsonl' if questions.is_dir() else questions
    told = read_lines(path, ('question_id', 'category', 'turns'))
    turns = turns_of(path, told)
    extra = path.with_name('spoken.jsonl')
    forms = read_lines(extra, ('question_id', 'turns')) if extra.is_file() else []
    spoken = turns_of(extra, forms)
    for asked, texts in spoken.items():
        if asked in turns and len(texts) != len(turns[asked]):
            raise BadSuite(
                f'{extra}: question {asked} has {len(texts)} turns, and {len(turns[asked])} in '
                f'{path.name}'
            )
    chosen = [row for row in told if not categories or row['category'] in categories]
    if not chosen:
        raise BadSuite(f'{path} has no question of {", ".join(categories)}')
    builder = Builder(folder, progress)
    for voice in voice_names:
        for row in chosen:
            asked = str(row['question_id'])
            name = f'mt-{_safe(asked)}@{_safe(voice)}'
            cues = []
            forms_of = spoken.get(asked, turns[asked])
            for number, (turn, text) in enumerate(zip(turns[asked], forms_of, strict=True), 1):
                cues.append(
                    Cue(
                        **builder.sound(f'{name}-{number}', say(text, voice)),
                        text=voices.spoken_form(text),
                        question=turn,
                        when='at' if number == 1 else 'after_robot',
                        seconds=0.5 if number == 1 else _NEXT_AFTER_S,
                    )
                )
            tags = {'question_id': row['question_id']}
            builder.add(Item(name, 'mtbench', tuple(cues), str(row['category']), voice, tags))
    return builder.save('mtbench', 0, voice_names)


def recordings(folder: Path, sources: Path, progress: Progress = lambda name: None) -> Suite:
    """A suite of the user's own sound files, with the texts of `questions.jsonl` beside them.

    The id of a line is a file's name without the ending. Files without a line are questions whose
    answers are not scored, only their times. Where the voice is in a file is found by Silero.
    Raises BadSuite or OSError.
    """
    from kame_ros.audio.wav import BadAudio, read_wav
    from kame_ros.record.speech import USER_GAP_S, merged, speech_segments

    paths = sorted(p for p in sources.iterdir() if p.suffix.lower() in _SOUNDS)
    if not paths:
        raise BadSuite(f'{sources} holds no sound file ({", ".join(_SOUNDS)})')
    beside = sources / 'questions.jsonl'
    known = {_nfc(q.id): q for q in read_questions(beside)} if beside.is_file() else {}
    strange = sorted(known.keys() - {_nfc(path.stem) for path in paths})
    if strange:
        raise BadSuite(f'{beside}: no sound file is called {", ".join(strange[:3])}')
    builder = Builder(folder, progress)
    taken: set[str] = set()
    for path in paths:
        check_inside(sources, path.name)
        try:
            sound = read_wav(path)
        except BadAudio as error:
            raise BadSuite(str(error)) from error
        found = merged(speech_segments(sound.samples), USER_GAP_S)
        speech = tuple((s.start, s.end) for s in found)
        name = unlike(taken, _safe(path.stem))
        spoken = SpokenSound(sound.samples.astype(np.float32) / 32_768, speech)
        question = known.get(_nfc(path.stem))
        cue = Cue(
            **builder.sound(name, spoken),
            role=TURN,
            text=question.text if question else '',
            accepted=question.accepted if question else (),
        )
        category = question.category if question else ''
        builder.add(Item(name, 'question', (cue,), category, 'recorded'))
    return builder.save(_safe(sources.resolve().name), 0, ('recorded',))


def read_lines(path: Path, keys: Iterable[str]) -> list[dict[str, Any]]:
    """JSON lines, each with these keys; raises BadSuite or OSError."""
    rows = []
    try:
        lines = json_lines(path.read_text(encoding='utf-8'))
    except UnicodeDecodeError as error:
        raise BadSuite(f'{path}: {misfit(error)}') from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadSuite(f'{path}, line {number}, is not JSON ({error})') from error
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise BadSuite(f'{path}, line {number}, lacks {", ".join(missing)}')
        rows.append(row)
    return rows


def turns_of(path: Path, rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """What is said in each question of MT-Bench, by its number as a text; raises BadSuite."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        number, turns = str(row['question_id']), row.get('turns')
        if not isinstance(turns, list) or not turns or not all(isinstance(t, str) for t in turns):
            raise BadSuite(f'{path}: question {number} has no turns, a list of texts')
        found[number] = tuple(turns)
    return found


def unlike(taken: set[str], name: str) -> str:
    """The name, or with a number behind it where it is taken; then it is taken, too."""
    free = name
    number = 2
    while free in taken:
        free, number = f'{name}-{number}', number + 1
    taken.add(free)
    return free


def _nfc(name: str) -> str:
    """One spelling of what looks alike: some file systems write an accent as a sign of its own."""
    return unicodedata.normalize('NFC', name)


def _safe(name: str) -> str:
    """Letters of any script and figures, for the name of a file; what is too long is cut."""
    kept = re.sub(r'[^\w.-]', '-', _nfc(name)).lstrip('-._')[:_LONGEST]
    while len(kept.encode()) > _LONGEST:
        kept = kept[:-1]
    return kept or 'item'
