"""What the user's words tell of their turn: back-channels, commands, what was heard when. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kame_ros.text.edits import edits
from kame_ros.text.language import primary
from kame_ros.turns.sentence_end import OPEN, plain_words

# Said by a listener who wants the speaker to go on (V. Yngve's back-channels).
_REMARKS = """
ah aha hm hmm hmmm mm mmm mhm mhmm mm-hmm uh-huh uhuh uh huh um oh ok okay yeah yep yes yup right
sure alright exactly indeed good great nice cool wow see i true totally gotcha got it ha haha
absolutely definitely really interesting understood understand perfect fine makes sense
"""
BACKCHANNELS = frozenset(_REMARKS.split())
_HUM = re.compile(r'[mhu]{2,}')  # "mmhmm", "uhhuh", however a recogniser spells it
_WEAK = frozenset(('i', 'it', 'oh', 'uh', 'um', 'ha'))  # beside these no word is guessed
_COMMANDS = frozenset(
    ('stop', 'wait', 'no', 'halt', 'quiet', 'silence', 'enough', 'pause', 'cancel')
)
# Of these words alone a short turn may be made: answers, commands, greetings.
_ENGLISH = """
yes yeah yep okay ok sure thanks hello hi hey goodbye bye maybe right correct exactly sorry help
next again repeat continue nothing never none later louder quieter slower faster robot
"""
_GERMAN = """
ja nein doch stopp stop halt warte okay ok danke bitte hallo hi tschüss vielleicht richtig genau
falsch hilfe weiter nochmal nichts nie später lauter leiser langsamer schneller ruhe genug
"""
_FRENCH = """
oui non si stop arrête arrêtez attends attendez ok merci bonjour bonsoir salut adieu peut-être exact
exactement pardon aide encore continue continuez rien jamais silence assez suivant
"""
_SPANISH = """
sí si no para pare alto espera espere vale ok gracias hola adiós quizás correcto exacto perdón ayuda
otra sigue siga continúa nada nunca silencio basta siguiente
"""
_ANSWERS = {
    'en': _COMMANDS | frozenset(_ENGLISH.split()),
    'de': frozenset(_GERMAN.split()),
    'fr': frozenset(_FRENCH.split()),
    'es': frozenset(_SPANISH.split()),
}
_POLITE = {
    'en': r'please|thank you|good (morning|evening|night)|never mind|go on|of course|not yet',
    'de': r'vielen dank|guten (morgen|tag|abend)|gute nacht|auf wiedersehen|alles klar|noch nicht',
    'fr': r"s'il (te|vous) plaît|au revoir|bonne nuit|d'accord|bien sûr|pas encore",
    'es': r'por favor|muchas gracias|buen(os|as) (días|tardes|noches)|de acuerdo|claro que sí',
}
_PLEASE = ('please ', 'bitte ', "s'il te plaît ", "s'il vous plaît ", 'por favor ')
# What somebody asks for begins with one of these, after a "please" or a "can you".
_ENGLISH_REQUEST = """
tell show give explain describe name say repeat spell read sing play write translate count list find
go come take bring fetch get put pick move turn switch open close start stop wait follow look help
remind set call make let
"""
_GERMAN_REQUEST = """
sag sage erzähl erzähle zeig zeige gib erklär erkläre beschreib beschreibe nenn nenne wiederhole
lies spiel spiele übersetze zähl zähle such suche geh gehe komm komme nimm bring bringe hol hole
stell stelle leg lege mach mache öffne schließ schließe starte warte folge hilf
"""
_FRENCH_REQUEST = """
dis dites raconte racontez montre montrez donne donnez explique expliquez décris décrivez répète
répétez lis lisez joue jouez traduis traduisez compte comptez cherche cherchez va allez viens venez
prends prenez apporte apportez mets mettez ouvre ouvrez ferme fermez allume éteins suis suivez aide
"""
_SPANISH_REQUEST = """
di dime diga cuenta cuéntame muestra muéstrame enséñame da dame explica explícame describe nombra
repite lee canta toca traduce busca ve ven toma trae tráeme pon abre cierra enciende apaga sigue
ayuda ayúdame recuérdame llama
"""
_REQUESTS = {
    'en': frozenset(_ENGLISH_REQUEST.split()),
    'de': frozenset(_GERMAN_REQUEST.split()),
    'fr': frozenset(_FRENCH_REQUEST.split()),
    'es': frozenset(_SPANISH_REQUEST.split()),
}
_BEFORE = frozenset(
    ['um', 'uh', 'hey', 'okay', 'ok', 'well', 'please', 'bitte', 'also', 'äh', 'euh', 'bon', 'pues']
)
_LEAST_REQUEST = 3  # words: "Tell me more."
# How an English question begins, small letters; "What I like is tea." is none.
_AUX = r'(?:is|are|was|were|do|does|did|can|could|should|will|would|have|has)\b'
_WHO = r'(?:i|you|he|she|it|we|they|the|an?|this|that|there|my|your|his|her|our|their)\b'
_QUESTION = re.compile(
    rf"(?:what|who|where|when|why|how)(?:'s|'re| {_AUX})"
    rf'|(?:what|which|whose|how (?:many|much|long|far|old|often)) (?!{_WHO}).*\b{_AUX}'
    rf'|{_AUX} {_WHO}'
)
_TURNED = re.compile(rf'\w+ {_AUX} {_WHO}')  # "where do I", not as in "the man, who is old"
_LEAD_IN = re.compile(r'^(?:(?:um|uh|hey|okay|ok|well|so|and|please),? )+')
_JAPANESE = """
はい いいえ うん ええ ストップ 止まって とまって 待って まって ありがとう ありがとうございます
こんにちは おはよう おはようございます こんばんは さようなら
すみません 大丈夫です わかりました もう一度 もういちど
"""
_MAX_UTTERANCES = 16  # of a turn
MAX_CHARS = 1_000  # of an utterance
_MAX_BACKCHANNEL = 4  # words: "yeah, okay, I see"


def is_backchannel(text: str) -> bool:
    """Whether these words ask the speaker to go on; no words do not.

    One word may be misheard where another leaves no doubt: "yet, I see" is "yeah, I see".
    """
    words = plain_words(text)
    if not 0 < len(words) <= _MAX_BACKCHANNEL:
        return False
    known = [word for word in words if _is_remark(word)]
    strange = [word for word in words if not _is_remark(word)]
    clear = any(word not in _WEAK for word in known)
    return not strange or (clear and len(strange) == 1 and _is_misheard(strange[0]))


def is_sure(text: str) -> bool:
    """Whether words that may still change are an interruption: a command, or enough of them."""
    words = plain_words(text)
    return len(words) >= _MAX_BACKCHANNEL or any(word in _COMMANDS for word in words)


def is_answer(text: str, language: str = 'en') -> bool:
    """Whether all of it is a short answer, a command or a greeting, as "No, thank you." is.

    "Please wait" is none: with a please before it, a sentence begins ("Please wait for me."). False
    in a language that is not known here.
    """
    language = primary(language)
    if language == 'ja':
        return ''.join(plain_words(text)) in _JAPANESE.split()
    if language not in _ANSWERS:
        return False
    plain = ' '.join(re.sub(r"[^\w\s'-]", '', text.casefold().replace('’', "'")).split())
    rest = re.sub(rf'\b({_POLITE[language]})(?!\w)', '', plain).split()
    polite = bool(rest) or plain != 'please'  # which alone asks for something that is still to come
    begins = bool(rest) and plain.startswith(_PLEASE)
    few = 0 < len(plain.split()) <= _MAX_BACKCHANNEL
    return few and polite and not begins and _ANSWERS[language].issuperset(rest)


def is_request(text: str, language: str = 'en') -> bool:
    """Whether the last sentence of it asks for something.

    By an imperative ("Show me how it works."), or, in English, as a question that was written
    without its mark ("What's the time.").

    That it is whole is for `sentence_end` to tell. False in a language that is not known here.
    """
    language = primary(language)
    sentence = re.split(r'[.?!]\s+', text.strip())[-1]
    words = plain_words(sentence, language)
    while words and words[0] in _BEFORE:
        words = words[1:]
    if len(words) < _LEAST_REQUEST:
        return False
    verb = words[0].split('-')[0]  # "raconte-moi"
    return verb in _REQUESTS.get(language, ()) or (language == 'en' and _is_asked(sentence))


def _is_asked(sentence: str) -> bool:
    """Whether it, or its last clause, has the order of words of an English question."""
    plain = _LEAD_IN.sub('', sentence.replace('’', "'").casefold())
    *_, last = re.split(r',\s+', plain)
    relative = re.match('who|which|where|when', last) and not _TURNED.match(last)
    return bool(_QUESTION.match(plain) or (not relative and _QUESTION.match(last)))


def _is_remark(word: str) -> bool:
    parts = [part for part in word.split('-') if part]
    return bool(parts) and all(part in BACKCHANNELS or _HUM.fullmatch(part) for part in parts)


def _is_misheard(word: str) -> bool:
    """Near to a remark: the same first letter, and at most half of the letters differ."""
    if len(word) < 3 or word in _COMMANDS or word in OPEN['en']:
        return False
    near = (other for other in BACKCHANNELS if len(other) > 2 and other[0] == word[0])
    return any(edits(word, other) <= min(2, len(other) // 2) for other in near)


@dataclass(frozen=True)
class Words:
    """Words of the user's turn that were recognised so far.

    `start` and `end` are those of the newest utterance, s; `text` is that utterance, `turn` all
    of the turn. `final`: the text will not change any more.
    """

    text: str = ''
    turn: str = ''
    start: float = 0.0
    end: float = 0.0
    utterance: int = -1
    final: bool = True

    def cover(self, t: float, slack_s: float = 0.25) -> bool:
        """Whether what was said until `t` is in them."""
        return self.end >= t - slack_s


class WordsHeard:
    """Follows the transcripts of a turn. `expected`: whether anyone transcribes at all.

    `language` is that of the newest transcript, such as en or en-US; empty: not known.
    """

    def __init__(self) -> None:
        self.expected = False
        self.language = ''
        self.clear()

    def clear(self) -> None:
        """A new turn: nothing is heard of it yet."""
        self._texts: dict[int, str] = {}
        self.now: Words | None = None
        self.noise_until = -1.0  # what was heard up to then was found to be no speech

    def hear(self, utterance: int, text: str, start: float, end: float, final: bool = True) -> None:
        """A revision of an utterance; times on the clock of the frames heard."""
        self.expected = True
        if not text.strip():
            return
        text = text.strip()[-MAX_CHARS:]  # how it ends tells whether it is over
        self._texts[utterance] = text
        if len(self._texts) > _MAX_UTTERANCES:
            del self._texts[next(iter(self._texts))]
        turn = ' '.join(self._texts.values())
        self.now = Words(text, turn, start, end, utterance, final)

    def since(self, t: float, slack_s: float = 0.4) -> Words | None:
        """The newest words, if they were spoken after `t`."""
        return self.now if self.now is not None and self.now.start >= t - slack_s else None
