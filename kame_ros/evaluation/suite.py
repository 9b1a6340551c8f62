"""A suite: what is said to the robot, when it is said, and what is known of it exactly."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from kame_ros.runtime.weights import file_sha256
from kame_ros.text.misfit import misfit

MANIFEST = 'suite.json'
FORMAT = 1
WHEN = ('at', 'after_robot', 'over_robot')
# What a cue is to the conversation: a turn asks for an answer, the others ask for none.
TURN, INTERRUPTION = 'turn', 'interruption'
ROLES = (TURN, INTERRUPTION, 'backchannel', 'to_other', 'background', 'noise')
ASKING = (TURN, INTERRUPTION)
_ANSWER_S = 7.0  # of an answer and the silence after it, roughly: only for estimates
_NAME = re.compile(r'\w[\w@.-]{0,99}')  # of an item: letters of any script
_LONGEST_NAME = 200  # bytes: it is the name of a folder, too


class BadSuite(ValueError):
    """A suite that cannot be used; the text is one sentence that names the file and the reason."""


@dataclass(frozen=True)
class Cue:
    """A sound that the user's side plays.

    `when`: `at` so many `seconds` after the item began; `after_robot`: when the robot has answered
    what was said before and been silent for so long (or `latest_s` after it, whatever the robot
    does); `over_robot`: when the robot has spoken for so long (left out if that does not come in
    `latest_s`). `speech` are the stretches of voice inside the file, in seconds, exact by
    construction; empty where there is none. `accepted` are regular expressions of right answers.
    """

    sound: str
    role: str = TURN
    text: str = ''
    when: str = 'at'
    seconds: float = 0.5
    latest_s: float = 30.0
    speech: tuple[tuple[float, float], ...] = ()
    accepted: tuple[str, ...] = ()
    question: str = ''  # as a judge is shown it, where it is spoken otherwise

    @property
    def asks(self) -> bool:
        """Whether an answer is owed."""
        return self.role in ASKING


@dataclass(frozen=True)
class Item:
    """A dialogue of its own. `kind` says how it is scored, `tags` what it is one of."""

    id: str
    kind: str
    cues: tuple[Cue, ...]
    category: str = ''
    voice: str = ''
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """Items and the folder of their sounds."""

    name: str
    items: tuple[Item, ...]
    folder: Path = Path()
    seed: int = 0
    voices: tuple[str, ...] = ()
    sounds: Mapping[str, str] = field(default_factory=dict)  # file -> sha256

    @cached_property
    def sha256(self) -> str:
        """Tells this suite from every other: texts, times, labels, and each sample."""
        return hashlib.sha256(_text(self).encode()).hexdigest()

    def chosen(self, patterns: Iterable[str]) -> tuple[Item, ...]:
        """The items whose id, or its part before the voice, fits a pattern; all without a pattern.

        Raises BadSuite where none fits.
        """
        wanted = [p for pattern in patterns for p in pattern.split(',') if p]
        if not wanted:
            return self.items
        found = tuple(i for i in self.items if any(_fits(i, p) for p in wanted))
        if not found:
            some = ', '.join(item.id for item in self.items[:3])
            raise BadSuite(
                f'no item of {self.name} is called {" or ".join(wanted)}; it has {some}, …'
            )
        return found

    def about_s(self, items: Iterable[Item]) -> float:
        """Roughly how long these conversations are, in real time; reads the sounds."""
        import soundfile

        return sum(
            soundfile.info(self.path(cue)).duration + cue.seconds * (cue.when != 'at') + _ANSWER_S
            for item in items
            for cue in item.cues
        )

    def path(self, cue: Cue) -> Path:
        """The file of a cue."""
        return self.folder / cue.sound


def _fits(item: Item, pattern: str) -> bool:
    """Whether `fact-01@slt`, or `fact-01` in any voice, is meant."""
    return fnmatch(item.id, pattern) or fnmatch(item.id.partition('@')[0], pattern)


def save(suite: Suite) -> None:
    """Writes the manifest into the suite's folder; the sounds are there already."""
    suite.folder.mkdir(parents=True, exist_ok=True)
    part = suite.folder / f'{MANIFEST}.part'
    part.write_text(_text(suite), encoding='utf-8')
    part.replace(suite.folder / MANIFEST)


def _text(suite: Suite) -> str:
    told = {
        'format': FORMAT,
        'name': suite.name,
        'seed': suite.seed,
        'voices': list(suite.voices),
        'sounds': dict(sorted(suite.sounds.items())),
        'items': [asdict(item) for item in suite.items],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + '\n'


def load(folder: Path) -> Suite:
    """Reads a suite and compares each file with its sha256; raises BadSuite or OSError."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadSuite(f'{folder} holds no suite ({MANIFEST}): make one with kame eval make')
    try:
        told = json.loads(path.read_text(encoding='utf-8'))
        if told.get('format') != FORMAT:
            raise BadSuite(f'{path} is of format {told.get("format")!r}, not {FORMAT}')
        suite = Suite(
            str(told['name']),
            tuple(_item(item) for item in told['items']),
            folder,
            int(told.get('seed', 0)),
            tuple(map(str, told.get('voices', ()))),
            {str(k): str(v) for k, v in dict(told['sounds']).items()},
        )
    except BadSuite as error:
        raise BadSuite(f'{path}: {error}' if str(path) not in str(error) else str(error)) from error
    except (
        *(KeyError, TypeError, ValueError, AttributeError, re.error),
        *(RecursionError, OverflowError),
    ) as error:
        raise BadSuite(f'{path} is not understood ({misfit(error)})') from error
    _check(suite, path)
    return suite


def _item(told: Mapping[str, Any]) -> Item:
    name = str(told['id'])
    if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME:
        raise BadSuite(f'{name!r} is no name of an item')
    return Item(
        name,
        str(told['kind']),
        tuple(_cue(cue) for cue in told['cues']),
        str(told.get('category', '')),
        str(told.get('voice', '')),
        dict(told.get('tags', {})),
    )


def _cue(told: Mapping[str, Any]) -> Cue:
    cue = Cue(
        sound=str(told['sound']),
        role=str(told.get('role', TURN)),
        text=str(told.get('text', '')),
        when=str(told.get('when', 'at')),
        seconds=float(told.get('seconds', 0.5)),
        latest_s=float(told.get('latest_s', 30.0)),
        speech=tuple((float(a), float(b)) for a, b in told.get('speech', ())),
        accepted=tuple(map(str, told.get('accepted', ()))),
        question=str(told.get('question', '')),
    )
    if cue.when not in WHEN:
        raise BadSuite(f'a cue is played {", ".join(WHEN)}, not {cue.when!r}')
    if cue.role not in ROLES:
        raise BadSuite(f'a cue is {", ".join(ROLES)}, not {cue.role!r}')
    if not all(0 <= x <= 600 and math.isfinite(x) for x in (cue.seconds, cue.latest_s)):
        raise BadSuite(f'times are 0 to 600 s, not {cue.seconds} and {cue.latest_s}')
    if not all(0 <= begin <= end < math.inf for begin, end in cue.speech):
        raise BadSuite(f'speech is from one time to a later one, not {list(cue.speech)}')
    for pattern in cue.accepted:
        re.compile(pattern)
    return cue


def _check(suite: Suite, path: Path) -> None:
    if not suite.items:
        raise BadSuite(f'{path} has no items')
    if len({item.id for item in suite.items}) < len(suite.items):
        raise BadSuite(f'{path} has an item twice')
    for item in suite.items:
        if not item.cues:
            raise BadSuite(f'{path}: {item.id} says nothing')
        for cue in item.cues:
            try:
                check_inside(suite.folder, cue.sound)
            except BadSuite as error:
                raise BadSuite(f'{path}: {error}') from error
            if cue.sound not in suite.sounds:
                raise BadSuite(f'{path}: the sha256 of {cue.sound} is missing')
    for name, digest in suite.sounds.items():
        check_inside(suite.folder, name)
        file = suite.folder / name
        if not file.is_file() or file_sha256(file) != digest:
            raise BadSuite(f'{file} is missing or another sound than it was: make it anew')


def check_inside(folder: Path, name: str) -> Path:
    """The path of a file in a folder; raises BadSuite where it would lead out of it."""
    path = Path(name)
    if path.is_absolute() or '..' in path.parts or '\0' in name:
        raise BadSuite(f'{name!r} leads out of {folder}')
    if not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise BadSuite(f'{name!r} leads out of {folder}')
    return folder / path
