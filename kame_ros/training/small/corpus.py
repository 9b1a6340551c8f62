"""Varied English sentences to train the voice of kame-small on, drawn by a seed.

Half are the definitions and examples of WordNet (and fortunes, if given), 30 % are such as a
language model answers with, 20 % are jumbles of rare words and names. The files are not shipped;
Debian has them, and they need not be installed:

    apt-get download wordnet-base fortunes fortunes-min
    for package in *.deb; do dpkg -x $package texts; done   # `kame train small --texts texts`

One rare word in forty is kept out of all sentences, so that a voice can be tried on words that it
was not trained on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kame_ros.training.small.answers import FIRST_NAMES, Vocabulary, answer

FEWEST, MOST = 4, 30  # words of a sentence; an answer may be a single one
SHARES = {'text': 0.5, 'answer': 0.3, 'jumble': 0.2}
KEPT_OUT = 40  # one rare word of so many is in no sentence
PATIENCE = 20_000  # draws in a row that give no new sentence: then all are found
_LOCATION, _PERSON = 15, 18  # numbers of WordNet's files (lexnames)
_COMMON = (5, 6, 8, 13, 17, 20)  # animals, artefacts, the body, food, objects, plants
_NAME = '[A-Z][a-z]{3,11}'
_SENTENCE = re.compile(r"[A-Z0-9$€£][A-Za-z0-9 ,.'?!:;%$€£-]*[.?!]")
_ARTICLES = (
    'a',
    'an',
    'the',
    'any',
    'one',
    'someone',
    'something',
    'either',
    'each',
    'all',
    'some',
)


class NoTextsError(FileNotFoundError):
    """The folder has no WordNet in it; the message says how to get it."""


@dataclass(frozen=True)
class Meaning:
    """One meaning of WordNet: the file it is in, its words, what it means, examples of its use."""

    kind: str  # n, v, a, s or r
    file: int
    words: tuple[str, ...]
    gloss: str
    examples: tuple[str, ...]


def find_wordnet(folder: Path) -> Path:
    """Its folder, somewhere below `folder`. Raises NoTextsError."""
    files = sorted(folder.rglob('data.noun'))
    if not files:
        raise NoTextsError(
            f'there is no WordNet below {folder}; get it with: apt-get download wordnet-base '
            f'fortunes fortunes-min; for p in *.deb; do dpkg -x $p {folder}; done'
        )
    return files[0].parent


class Corpus:
    """Sentences of WordNet, of fortunes and of templates, without those of words kept out."""

    def __init__(self, folder: Path) -> None:
        """Reads what is below `folder` in some seconds. Raises NoTextsError."""
        wordnet = find_wordnet(folder)
        entries = [
            entry for kind in ('noun', 'verb', 'adj', 'adv') for entry in _entries(wordnet, kind)
        ]
        counted = _counted(wordnet)
        self.rare = _rare(entries, counted)
        self.kept_out = frozenset(word for word in self.rare if _kept_out(word))
        self.rare = tuple(word for word in self.rare if word not in self.kept_out)
        self._entries = entries
        self._examples = [text for entry in entries for text in entry.examples]
        quotes = [text for file in _fortunes(folder) for text in _quotes(file)]
        self._examples += quotes * 2  # they are few, and written as people speak
        self._words = _vocabulary(entries, counted, self.kept_out)
        self.names = tuple(sorted({*self._words.surnames, *self._words.cities, *FIRST_NAMES}))

    def sentences(self, seed: int, kinds: dict[str, float] | None = None) -> Iterator[str]:
        """Sentences, each once, until hardly a new one is found.

        `kinds`: the share of each kind, SHARES by default.
        """
        rng, seen, missed = Random(seed), set(), 0
        makers = {'text': self._text, 'answer': self._answer, 'jumble': self._jumble}
        kinds = kinds or SHARES
        while missed < PATIENCE:
            kind = rng.choices(list(kinds), list(kinds.values()))[0]
            text = clean(makers[kind](rng), 1 if kind == 'answer' else FEWEST)
            missed += 1
            if text and text not in seen and not self.has_kept_out(text):
                missed = 0
                seen.add(text)
                yield text

    def has_kept_out(self, text: str) -> bool:
        """Whether one of its words, or what a word is an inflection of, is kept out."""
        words = re.findall('[a-z]+', text.lower())
        forms = {
            re.sub(end + '$', '', word)
            for word in words
            for end in ('', 's', 'es', 'ed', 'ing', 'ly')
        }
        return not forms.isdisjoint(self.kept_out)

    def _text(self, rng: Random) -> str:
        if rng.random() < 0.35:
            return rng.choice(self._examples)
        return _defined(rng, rng.choice(self._entries))

    def _answer(self, rng: Random) -> str:
        return answer(rng, self._words)

    def _jumble(self, rng: Random) -> str:
        """Words that seldom stand together, in short frames, or on their own with commas."""
        rare = [rng.choice(self.rare) for _ in range(5)]
        names = [rng.choice(self.names) for _ in range(3)]
        common = [rng.choice(self._words.things) for _ in range(3)]
        frames = (
            f'The word is {rare[0]}, not {rare[1]}.',
            f'{rare[0]}, {rare[1]}, {rare[2]} and {rare[3]}.',
            f'He said {rare[0]} and she said {rare[1]}.',
            f'They call it {rare[0]} or {rare[1]}, or even {names[0]}.',
            f'{names[0]} and {names[1]} talked about {rare[0]} with {names[2]}.',
            f'{names[0]} {names[1]} saw the {rare[0]} {common[0]} in {names[2]}.',
            f'{common[0]} {rare[0]} {common[1]} {rare[1]} {common[2]}.',
            f'{rare[0]} {rare[1]} {names[0]} {rare[2]} {common[0]}.',
            f'Is the {rare[0]} {common[0]} a {rare[1]} {common[1]}?',
            f'In {names[0]}, the {rare[0]} of {names[1]} is a {common[0]}.',
            f"I think it's {rare[0]} {common[0]}, {rare[1]} or {rare[2]}.",
            f'{rare[0]} {rare[1]} {rare[2]} {rare[3]} {rare[4]}.',
        )
        text = rng.choice(frames)
        return text[0].upper() + text[1:]


def clean(text: str, fewest: int = FEWEST) -> str:
    """The sentence without what cannot be spoken, or nothing if it is none of 4 to 30 words."""
    text = re.sub(r'\([^()]*\)', ' ', text).replace('`', "'").replace('--', ',')
    text = re.sub(r' +([,.?!;:])', r'\1', ' '.join(text.split()))
    if not _SENTENCE.fullmatch(text) or re.search(r'\.\.|,,|[,;:][.?!]', text):
        return ''
    if any(word.isupper() and len(word) > 4 for word in re.findall('[A-Za-z]+', text)):
        return ''  # shouted
    return text if fewest <= len(text.split()) <= MOST else ''


def _defined(rng: Random, entry: Meaning) -> str:
    """A definition as a sentence: "A dolphin is any of various small toothed whales."."""
    word, gloss = rng.choice(entry.words), entry.gloss
    first = gloss.split(' ', 1)[0]
    if entry.kind == 'v':
        verb = re.sub(r'\bto to\b', 'to', f'To {word} is to {gloss}.')
        return rng.choice((verb, verb, f'They {word}, that is, they {gloss}.'))
    if entry.kind != 'n' or first not in _ARTICLES:
        text = rng.choice((f'{word} means {gloss}.', f'It is {word}, that is, {gloss}.'))
    elif word[0].isupper():
        is_person = entry.file == _PERSON
        text = f'{word} {"was" if is_person else "is"} {gloss}.'
    else:
        article = 'an' if word[0] in 'aeiou' else 'a'
        text = rng.choice((f'{article} {word} is {gloss}.', f'the {word} is {gloss}.', f'{gloss}.'))
    return text[0].upper() + text[1:]


def _entries(wordnet: Path, kind: str) -> Iterator[Meaning]:
    """The meanings in one of WordNet's data files (its format: the manual page wndb)."""
    for line in (wordnet / f'data.{kind}').read_text(encoding='latin-1').splitlines():
        head, _, gloss = line.partition(' | ')
        if line.startswith(' ') or not gloss:
            continue
        fields = head.split()
        words = [re.sub(r'\(.*\)', '', word).replace('_', ' ') for word in fields[4::2]]
        words = words[: int(fields[3], 16)]
        meaning = re.sub(r'"[^"]*"?', '', gloss)
        meaning = re.sub(r'\([^()]*\)', ' ', meaning).split(';')[0]
        examples = (_as_sentence(text) for text in re.findall(r'"([^"]*)"', gloss))
        yield Meaning(
            fields[2],
            int(fields[1]),
            tuple(words),
            ' '.join(meaning.split()).strip(' ,:.'),
            tuple(text for text in examples if text),
        )


def _as_sentence(text: str) -> str:
    text = text.strip(' ,;:')
    if not text:
        return ''
    return text[0].upper() + text[1:] + ('' if text[-1] in '.?!' else '.')


def _fortunes(folder: Path) -> list[Path]:
    """The texts of fortunes, which have no ending to their names."""
    return sorted(file for file in folder.rglob('fortunes/*') if file.is_file() and not file.suffix)


def _quotes(file: Path) -> list[str]:
    """The sentences in a file of fortunes, without who said them."""
    found = []
    for block in re.split(r'\n%\n', file.read_text(encoding='latin-1')):
        block = re.split(r'\n\s*--', block)[0].replace('"', '')
        for text in re.split(r'(?<=[.?!])\s+(?=[A-Z])', ' '.join(block.split())):
            if clean(text):
                found.append(text)
    return found


def _counted(wordnet: Path) -> frozenset[str]:
    """The words that occur in the texts in which WordNet counted its meanings."""
    lines = (wordnet / 'cntlist.rev').read_text('latin-1').splitlines()
    return frozenset(line.split('%')[0] for line in lines)


def _rare(entries: list[Meaning], counted: frozenset[str]) -> tuple[str, ...]:
    """Single words of five letters or more whose use no count of WordNet knows."""
    words = {word for entry in entries for word in entry.words if re.fullmatch('[a-z]{5,14}', word)}
    return tuple(sorted(words - counted))


def _kept_out(word: str) -> bool:
    return zlib.crc32(word.encode()) % KEPT_OUT == 0


def _vocabulary(
    entries: list[Meaning], counted: frozenset[str], kept_out: frozenset[str]
) -> Vocabulary:
    def words(chosen: Iterable[Meaning], pattern: str) -> set[str]:
        found = {word for entry in chosen for word in entry.words if re.fullmatch(pattern, word)}
        return {word for word in found if word.lower() not in kept_out}

    def places(gloss: str) -> tuple[str, ...]:
        chosen = (e for e in entries if e.file == _LOCATION and re.search(gloss, e.gloss))
        return tuple(sorted(words(chosen, _NAME)))

    things = words((e for e in entries if e.kind == 'n' and e.file in _COMMON), '[a-z]{3,11}')
    adjectives = words((e for e in entries if e.kind in 'as'), '[a-z]{3,11}')
    return Vocabulary(
        things=tuple(sorted(things & counted)),
        adjectives=tuple(sorted(adjectives & counted)),
        cities=places('city|town|capital|port'),
        countries=places('republic|kingdom|country|nation'),
        surnames=tuple(sorted(words((e for e in entries if e.file == _PERSON), _NAME))),
    )
