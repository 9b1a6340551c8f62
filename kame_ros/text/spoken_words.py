"""The words of a growing text: how each is written, how it is said, and where sentences end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kame_ros.text.context import CLOSERS, OPENERS, Context, Wait, is_number
from kame_ros.text.lists import word_set
from kame_ros.text.phrases import Phrase, join
from kame_ros.text.signs import is_factorial, spoken

_LONGEST = 30  # letters of one word given to the voice: a longer one is no word, and is cut
_MOST_WORDS = 10  # that one written word is said as in one go: what is longer comes in parts
_LONGEST_TOKEN = 400  # characters: a longer run without a space is taken in parts
# Points that belong to the word. A sentence does not end with those of NEVER; with those of OFTEN
# it does where the next word begins one.
_NEVER = word_set(
    """
    mr mrs ms messrs dr prof mt ft gen gov sen rep capt lt col sgt cmdr rev hon pres supt cpl
    maj adm fr msgr vs approx hwy rte mts e.g i.e eg ie cf al fig figs vol vols pp ed eds no nos op
    dept univ     sec art resp incl excl esp viz nr p.s st ave blvd rd ca c tel ext mx mlle mme
    """
)
_OFTEN = word_set(
    """
    jr sr etc inc ltd co corp bros llc plc a.m p.m am pm u.s u.k u.n e.u u.s.a d.c b.c a.d
    ph.d m.d b.a m.a b.sc m.sc jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues
    wed thu thurs fri sat sun hr hrs min sq lb lbs oz km cm kg approx est mio mrd
    """
)
_INITIALS = re.compile(r'(?:[^\W\d_]\.)*[^\W\d_]')
_BEGINS = word_set(
    """
    the a an it its he she they we i you this that these those there here in on at by for from
    with after before when while if but and so then however what who why where how is are was
    do does did can could would will his her their our my your no yes not also all some many
    most please let thanks sorry sure next first second finally after
    """
)
_LETTER_NAMES = word_set(
    """
    plan vitamin letter option grade section type part point answer group class phase
    hepatitis exhibit figure appendix gate room platform and or
    """
)
_PAUSES = (',', ';', ':', '—', '–')
_LONE = frozenset(('-', '–', '—', '--', '...', '…', ':', ',', ';'))
_EMOTICON = re.compile(
    r'[:;]-?[)(DPpOo3/\\|*\]\[]|=-?[)(DP]|8-[)(D]|[xX]-?D|<3|\^_?\^|:[a-z0-9_+-]{2,30}:'
)
_LOVED = word_set('you u it this that my your the him her them us all')  # behind "<3"
_DOTTED_UNITS = word_set('in ft lb lbs oz min sec hr hrs yd mi gal tsp tbsp Tbsp')
_KNOWN = re.compile(r"[^\w\s.,;:!?'’\-()\"“”…&]|_", re.UNICODE)


@dataclass(frozen=True)
class SpokenWord:
    """A word of the text.

    `text` is for reading, `speech` for the voice, `key` for comparing (no case, no punctuation).
    `pause` and `stop` say whether a clause, or a sentence, ends here. `broken`: it goes on without
    a space in the next one, as it was too long to be said in one go.
    """

    text: str
    speech: str
    key: str
    pause: bool = False
    stop: bool = False
    broken: bool = False

    @property
    def length(self) -> int:
        """About how long it takes to say, in letters of plain words: figures are said as words."""
        return sum(_length(word) for word in self.speech.split(' '))


def _length(word: str) -> int:
    figures = sum(c.isdigit() for c in word)
    letters = len(word) - figures
    spelt = (letters > 2 and not set('aeiouyAEIOUY') & set(_plain(word))) or word.isupper()
    return letters * (4 if spelt else 1) + 6 * figures


class GrowingWords:
    """The words of a text that is still being written.

    A word is given once nothing that may follow can change how it is said: when the space behind
    it is there, and for a few (an amount of money, an initial) the next word too. What is given
    stays. Words that cannot be spoken (pictures, scripts that the voice does not know) are left
    out and counted in `unspeakable`.
    """

    def __init__(self) -> None:
        self.words: list[SpokenWord] = []
        self.ends: list[int] = []  # for each word, where it ends in the text
        self.unspeakable = 0
        self._text = ''
        self._done = 0  # characters whose words were said
        self._before: list[str] = []  # the last tokens, as written
        self._ended = False
        self._quoted = False

    def update(self, text: str, ended: bool) -> list[SpokenWord]:
        """Takes the whole text so far and returns all words that are sure."""
        if (text, ended) == (self._text, self._ended):
            return self.words
        if self._ended or not text.startswith(self._text):
            self.__init__()  # type: ignore[misc]
        self._text, self._ended = text, ended
        rest = text[self._done :]
        ends = [match.end() for match in _TOKEN.finditer(rest)]
        tokens = _TOKEN.findall(rest)
        if tokens and not ended and not rest[-1].isspace() and len(tokens[-1]) < _LONGEST_TOKEN:
            tokens.pop()
        consumed = place = 0
        while place < len(tokens):
            try:
                place += self._take(tokens, place, ended)
            except Wait:
                break
            consumed = ends[place - 1]
            self.ends += [self._done + consumed] * (len(self.words) - len(self.ends))
        self._done += consumed
        return self.words

    def _take(self, tokens: list[str], place: int, ended: bool) -> int:
        """Takes the words of the phrase at a place and returns of how many tokens it is."""

        def after(n: int) -> str:
            if place + n < len(tokens):
                return tokens[place + n]
            if ended:
                return ''
            raise Wait

        phrase = join(self._before, tokens[place], after)
        token = phrase.token
        context = Context(self._before, lambda n: after(n + phrase.size - 1), self._quoted)
        words = list(_words(phrase, context, self.words[-1] if self.words else None))
        if words:
            self.words += words
        elif token.strip('*_') in _LONE:
            if self.words:
                self.words[-1] = replace(self.words[-1], pause=True)
        elif re.fullmatch(r'[.!?]+', token):
            if self.words:
                self.words[-1] = replace(self.words[-1], pause=True, stop=True)
        elif any(c.isalpha() or unicodedata.category(c) == 'So' for c in token):
            self.unspeakable += 1
        self._before = [*self._before[-5:], token]
        if token.startswith('"') or (self._quoted and token.rstrip('.,;:!?').endswith('"')):
            self._quoted = not self._quoted if token.count('"') % 2 else self._quoted
        return phrase.size


_TOKEN = re.compile(rf'\S{{1,{_LONGEST_TOKEN}}}')


def words_of(text: str, ended: bool) -> list[SpokenWord]:
    """The words of a text; the last one is held back while it may still grow."""
    return GrowingWords().update(text, ended)


def _words(phrase: Phrase, context: Context, last: SpokenWord | None) -> Iterator[SpokenWord]:
    """The phrase as one word, as several if it is too long, or as none."""
    token = phrase.token
    text = _readable(token)
    if not text or (_EMOTICON.fullmatch(token) and not _is_fewer(token, context)):
        return
    speech = _for_the_voice(phrase.speech or spoken(text, context))
    if not any(c.isascii() and c.isalnum() for c in _plain(speech)):
        return
    stop = _stops(text, context, last)
    bare = text.rstrip(CLOSERS)
    if not stop and (_is_dotted_unit(bare, context) or bare in ('Mio.', 'Mrd.')):
        speech = speech.rstrip('.')
    pause = stop or bare.endswith(_PAUSES) or _is_list_number(text, context, last)
    if not stop and speech.rstrip(CLOSERS).endswith('.') and is_number(bare.rstrip('.')):
        speech = speech.rstrip('.') + ','  # the number of an item in a list
    parts = list(_parts(text, speech))
    for number, (written, said) in enumerate(parts):
        final = number == len(parts) - 1
        key = ''.join(c for c in _plain(said) if c.isalnum()) or said
        # Without a pause inside, a clause would be as long as the word.
        yield SpokenWord(written, said, key, pause if final else True, stop and final, not final)


def _parts(text: str, speech: str) -> Iterator[tuple[str, str]]:
    """Text and speech, in parts of a few words of speech each."""
    words = speech.split(' ')
    if len(words) <= _MOST_WORDS and len(speech) <= 4 * _LONGEST:
        yield text, speech
        return
    groups = list(_groups(words))
    size = -(-len(text) // len(groups))
    cuts = [min(number * size, len(text)) for number in range(1, len(groups))]
    # A space between two parts begins the second one, as nothing is put between them.
    cuts = [len(text[:cut].rstrip()) for cut in cuts]
    for group, begin, end in zip(groups, [0, *cuts], [*cuts, len(text)], strict=True):
        part = text[begin:end]
        yield part if part.strip() else group, group


def _groups(words: list[str]) -> Iterator[str]:
    """The words in groups of at most _MOST_WORDS, cut at a comma where there is one."""
    while words:
        size = min(len(words), _MOST_WORDS)
        while size > 1 and len(' '.join(words[:size])) > 4 * _LONGEST:
            size -= 1
        if len(words) > size:
            size = next((n for n in range(size, 2, -1) if words[n - 1].endswith(',')), size)
        yield ' '.join(words[:size])
        words = words[size:]


def _readable(token: str) -> str:
    """The word as it is shown, without pictures and characters that are not seen."""
    if token.isascii() and token.isprintable():
        return token
    kept = (c for c in unicodedata.normalize('NFC', token) if c in '°№©℃℉←↑→↓⇒↔' or _is_text(c))
    return ''.join(kept).strip()


def _is_text(c: str) -> bool:
    if '\ufe00' <= c <= '\ufe0f' or c == '\u20e3':  # parts of emoji
        return False
    category = unicodedata.category(c)
    return (category[0] != 'C' and category not in ('So', 'Sk')) or c in '^`'


def _for_the_voice(speech: str) -> str:
    """Only what a voice can be given: no signs that are left, no endless words."""
    if speech.isascii() and speech.isalpha() and len(speech) <= _LONGEST:
        return speech
    if not speech.isascii():
        speech = unicodedata.normalize('NFKC', speech)
    speech = _KNOWN.sub(' ', speech)
    if not speech.isascii():
        kept = (c for c in speech if not c.isalpha() or _is_latin(c))
        speech = ''.join(kept)
    if len(speech) > 12 and ' ' not in speech and speech.isupper():
        speech = speech.lower()  # nobody spells that
    if len(speech) > _LONGEST:
        speech = re.sub(r'(?<=[^\W\d])[.,;:](?=[^\W\d])', ' ', speech)
    if speech.count('-') > 3:
        speech = speech.replace('-', ' ')
    if len(speech) > _LONGEST:
        speech = re.sub(rf'([^\W\d_]{{{_LONGEST}}})[^\W\d_]+', r'\1', speech)
        speech = re.sub(r'\d{16,}', lambda found: ' '.join(found[0]), speech)
        speech = re.sub(rf'(\S{{{_LONGEST}}})(?=\w)', r'\1 ', speech)
    return ' '.join(speech.split())


def _is_latin(c: str) -> bool:
    return c.isascii() or unicodedata.name(c, '').startswith('LATIN')


def _plain(text: str) -> str:
    """Without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize('NFKD', text.casefold())
    return ''.join(c for c in decomposed if not unicodedata.combining(c))


def _stops(text: str, context: Context, last: SpokenWord | None) -> bool:
    """Whether a sentence ends with this word. Raises Wait."""
    bare = text.rstrip(CLOSERS)
    if bare.endswith('!') and is_factorial(bare, context):
        return False
    if bare.endswith(('!', '?', '…', '。', '！', '？')) or bare.endswith('..'):
        return True
    if not bare.endswith('.'):
        return False
    stem = bare[:-1].lstrip(OPENERS)
    word = stem.casefold()
    if word in _NEVER:
        return word in (
            'no',
            'op',
            'st',
            'ave',
            'rd',
            'blvd',
            'fig',
            'art',
            'ed',
            'c',
            'sec',
        ) and not (_belongs_to_next(word, context))
    if (
        word in _OFTEN
        or _is_dotted_unit(bare, context)
        or ('.' in stem and _INITIALS.fullmatch(stem))
    ):
        return _begins_sentence(context.right())
    if len(stem) == 1 and stem.isalpha():
        if stem == 'I' or context.left.rstrip('.').lower() in _LETTER_NAMES:
            return True
        return _begins_sentence(context.right())
    return not _is_list_number(text, context, last)


def _is_fewer(token: str, context: Context) -> bool:
    """Whether "<3" is less than three of something, and no heart."""
    following = context.right().rstrip('.,;:!?') if token == '<3' else ''
    return following.isalpha() and following.islower() and following not in _LOVED


def _is_dotted_unit(bare: str, context: Context) -> bool:
    """Whether the word is a short unit with its point behind a number: "3 in."."""
    return bare[:-1] in _DOTTED_UNITS and bare[-1:] == '.' and is_number(context.left)


def _belongs_to_next(word: str, context: Context) -> bool:
    """Whether "No.", "St." and the like stand before what they name."""
    following = context.right()
    if word in ('no', 'op', 'fig', 'art', 'sec', 'ed', 'c'):
        return following[:1].isdigit()
    return bool(following) and not _begins_sentence(following)


def _begins_sentence(word: str) -> bool:
    return not word or (word[:1].isupper() and word.rstrip('.,;:!?').lower() in _BEGINS)


def _is_list_number(text: str, context: Context, last: SpokenWord | None) -> bool:
    """Whether this is the number of an item: "1." or "2)" at the start of a sentence."""
    if not re.fullmatch(r'\(?\d{1,2}[.)]', text):
        return False
    begins = last is None or last.stop or context.left.endswith(':')
    return begins and bool(context.right())
