"""Whether a sentence may end where it ends so far: the words that want another one, by language."""

from __future__ import annotations

import re

from kame_ros.text.language import primary

# A sentence that ends with one of these goes on. Words that often end one ("in", "on", "please",
# "you", "more") are left out: waiting for nothing costs as much as taking over.
_ENGLISH = """
a an the this these those my your his its our their some any every and or but nor because if when
while although though unless until since as than which who whom whose where what how why to of at
by for with from into onto between without within during is are was were be been am do does did
have has had can could will would shall should may might must i he she we they im youre theyre id
youd ill ive let lets very just also um uh er hmm going want need tell give show make get put take
bring wanna gonna
"""
_GERMAN = """
der die das den dem des ein eine einen einem einer eines mein meine meinen meinem meiner dein deine
deinen deinem deiner sein seine seinen ihr ihre ihren unser unsere euer eure dieser diese dieses
diesen diesem jeder jede jedes kein keine keinen und oder aber denn sondern weil dass ob wenn als
während obwohl damit bevor nachdem sobald falls wie wo wer was warum wann welche welcher welches
von für ohne gegen durch zwischen bei seit zum zur beim vom im am ins ans ist sind war waren bin
bist hat habe hast haben hatte kann kannst können könnte will willst möchte möchten muss musst
müssen soll sollte sollen wird werden würde würden ich du er wir sehr zu äh ähm hm also dann
"""
_FRENCH = """
le la les l un une des du de d au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur
leurs ce cet cette ces chaque quelques et ou mais ni car donc parce que qu si quand lorsque comme
puisque dont où qui quel quelle quels quelles pourquoi comment à dans par pour sans avec entre
chez vers sous sur est sont était étaient suis es ai as a ont avait peux peut peuvent pourrait
veux veut voudrais dois doit je j tu il elle on nous ils elles très ne n se s me m te t euh
heu alors
"""
_SPANISH = """
el la los las un una unos unas mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta
estos estas ese esa esos esas cada algunos algunas y e o u pero ni sino porque que si cuando
mientras aunque como donde quien cuyo cuál cuáles cuánto cuántos cómo dónde quién por para con sin
de del a al en entre desde hasta hacia sobre según es son era eran soy eres está están estoy ha he
han había puedo puedes puede pueden podría quiero quiere quisiera debo debe tengo tiene yo él
ella nosotros ellos ellas muy eh em pues me te se lo le
"""
OPEN = {
    'en': frozenset(_ENGLISH.split()),
    'de': frozenset(_GERMAN.split()),
    'fr': frozenset(_FRENCH.split()),
    'es': frozenset(_SPANISH.split()),
}
# What a sentence with a condition begins with; it is whole once the other half has come. "After
# that we left." has none, and "When is it?" asks, whether or not a recogniser writes so.
_CONDITION = {
    'en': 'if|when(?! (is|are|was|were|does|do|did|will|can)\\b)|while|although|because(?! of)'
    '|(after|before|since)(?! (that|this|then|all)\\b)',
    'de': 'wenn|falls|weil|obwohl|während|nachdem|bevor|als|sobald',
    'fr': 'si|quand|lorsque|parce que|bien que|après que|avant que|comme|puisque',
    'es': 'si|cuando|mientras|aunque|porque|como|después de que|antes de que',
}
_ASKING = frozenset(
    [
        'why',
        'what',
        'who',
        'where',
        'when',
        'how',
        'which',
        'to',
        'from',
        'for',
        'with',
        'and',
        'so',
    ]
)
# Particles and forms after which a Japanese sentence goes on; です, ます, か, ね and よ end one.
_PARTICLES = """
は が を に へ と の も で て から ので けど けれど けれども のに たら なら ば し や とか ながら
そして でも それで ええと えっと あの
"""
_JAPANESE = tuple(_PARTICLES.split())
_JAPANESE_ENDS = ('ですが', 'ますが')  # polite, and yet they go on
# "7 a.m.", "in May", "plan A": these want no other word, as the article and the verbs do.
_NAMED = re.compile(r'(\ba\. ?m|\d ?am|(?<=[^.?!…] )(AM|May|Will|A))[.!]?$')
# "How long does it", "Could you please": a question of which only the subject was said; and
# "Tell me more about", where nothing in it asks what.
_DO = r'(?:do|does|did|can|could|would|will|should)\b'
_ASKED_WHAT = r'(?:what|which|who|whose|where|when|why|how)\b'
_ONLY_BEGUN = re.compile(
    rf'(?:(?:um|uh|hey|okay|ok|well|so|and|but|please),? )*(?:{_ASKED_WHAT}(?:(?! {_DO}).)* )?'
    rf'{_DO} (?:i|you|he|she|it|we|they)(?: please)?$'
    rf'|(?!.*{_ASKED_WHAT}).*\b(?:tell|teach|remind|ask) (?:me|us|him|her|them)\b.* about$'
)
_HANGING = re.compile(r'(\.\.\.|…|[-–—,;:、])\s*$')
_ELIDED = re.compile(r"(\w+)[’']", re.UNICODE)  # l'eau, qu'il


def plain_words(text: str, language: str = 'en') -> list[str]:
    """The words without case and punctuation; in French what is elided is a word of its own."""
    text = text.casefold()
    if primary(language) == 'fr':
        text = _ELIDED.sub(r'\1 ', text)
    return re.sub(r'[^\w\s-]', '', text.replace('’', '')).split()


def knows(language: str) -> bool:
    """Whether there are words of this language: a tag such as en or en-US."""
    return primary(language) in (*OPEN, 'ja')


def is_complete(text: str, language: str = 'en') -> bool:
    """Whether a sentence may end here: it does not hang on a word that wants another one.

    A recogniser puts a full stop wherever the sound ends, so that only the words can tell. True
    for a language that is not known here, unless the text itself breaks off.
    """
    text, language = text.strip(), primary(language)
    if not text or _HANGING.search(text):
        return False
    if language == 'ja':
        return _is_complete_japanese(text)
    if language not in OPEN:
        return True
    words = plain_words(text, language)
    if not words:
        return False
    asks = text.endswith('?') and (len(words) > 2 or set(words) <= _ASKING)
    named = language == 'en' and not text.isupper() and _NAMED.search(text)
    if words[-1] in OPEN[language] and not asks and not named:
        return False
    clause = re.split(r'[.?!]\s+', text)[-1].lstrip('¿¡')
    if language == 'en' and _is_only_begun(clause):
        return False
    begins = re.match(rf'({_CONDITION[language]})\b', clause, re.IGNORECASE)
    return not (begins and ',' not in clause and not clause.endswith('?'))


def _is_only_begun(clause: str) -> bool:
    """Whether an English sentence ends where its verb, or what it is about, is still to come.

    "Could you?" may be all of an answer; "How long does it?" is a recogniser's guess.
    """
    said = clause.casefold()
    if said.endswith('?') and not re.match(_ASKED_WHAT, said):
        return False
    return bool(_ONLY_BEGUN.match(said.rstrip(' .!?')))


def is_question(text: str) -> bool:
    """Whether it ends with the mark of a question, in quotes or not."""
    return text.rstrip('"\'”’»)」 \n').endswith(('?', '？'))


def is_clause(text: str, language: str = 'en') -> bool:
    """Whether a clause ends here: a sentence may end, or there is a comma."""
    return is_complete(text.rstrip(' ,、'), language)


def _is_complete_japanese(text: str) -> bool:
    if text.endswith(('?', '？')):
        return True
    said = re.sub(r'[\s。．.!！]+$', '', text)
    return bool(said) and not said.endswith((*_JAPANESE, *_JAPANESE_ENDS))
