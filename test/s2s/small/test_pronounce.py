"""Words of a sentence as pieces: each word gets its own, whatever the rules make of them."""

import pytest

from kame_ros.s2s.small.pieces import STRESS, Pieces
from kame_ros.s2s.small.pronounce import Pronouncer, hibari_phonemes, told_apart


def letters(phonemes):
    """A piece for each letter."""
    return [ord(c) for c in phonemes if c != ' ']


def told(pieces):
    return [''.join(map(chr, some)) for some in pieces]


def test_a_group_of_sounds_for_each_word_is_that_word():
    pronouncer = Pronouncer(lambda text: [text.upper()], letters)
    assert told(pronouncer.pieces(['the', 'cat'])) == ['THE', 'CAT']
    assert (pronouncer.alone, pronouncer.failures) == (0, 0)


def test_a_number_is_several_groups():
    table = {'42': 'forty two', '3 km': 'three kilometres'}

    def rules(text):
        for figure, words in table.items():
            text = text.replace(figure, words)
        return [text]

    pronouncer = Pronouncer(rules, letters)
    assert told(pronouncer.pieces(['it', 'is', '42', 'now'])) == ['it', 'is', 'fortytwo', 'now']


def test_words_that_run_together_are_said_as_if_alone():
    pronouncer = Pronouncer(lambda text: [text.replace('a b', 'ab')], letters)
    assert told(pronouncer.pieces(['a', 'b'])) == ['a', 'b']
    assert pronouncer.alone == 2


UNSTRESSED = dict.fromkeys(map(ord, STRESS))
ALONE = {
    'June': ['joon'], '24,': ['twenty', 'four,'], '2018': ['twenty', 'eighteen'], 'a': ['a'],
    '24': ['twenty', 'four'], 'was': ['woz'], '3': ['three'], '...': [], 'VIII': ['vee'],
}  # fmt: skip


@pytest.mark.parametrize(
    ('words', 'together', 'counts'),
    [
        ('June 24, 2018', 'joon twentyfourth, twenty eighteen', [1, 1, 2]),
        ('2018 June 24,', 'twenty eighteen joon twentyfourth,', [2, 1, 1]),
        ('24 June 2018', 'the twentyfourth ov joon twenty eighteen', [2, 2, 2]),
        ('June 3 was a', 'joon third woz a', [1, 1, 1, 1]),
        ('VIII was', 'the eighth woz', [2, 1]),
        ('a ... 24, 2018', 'a twentyfourth, twenty eighteen', [1, 0, 1, 2]),
        ('a was', 'awoz', None),
        ('a', 'a a a a a a', None),
    ],
)
def test_a_word_that_its_neighbours_make_longer_or_shorter_is_told_apart(words, together, counts):
    assert told_apart([ALONE[word] for word in words.split()], together.split()) == counts


def test_a_sentence_that_cannot_be_told_apart_ends_the_search():
    assert told_apart([['a', 'b']] * 60, ['c'] * 90) is None


def test_what_the_rules_cannot_read_is_silent_and_counted():
    def rules(text):
        if '7' in text:
            raise IndexError
        return [text]

    pronouncer = Pronouncer(rules, letters)
    assert told(pronouncer.pieces(['room', '7', 'is', 'free'])) == ['room', '', 'is', 'free']
    assert pronouncer.failures == 2  # the sentence, and the word alone
    pronouncer.pieces(['7'])
    assert pronouncer.pieces([]) == []


@pytest.mark.models
def test_the_rules_of_the_voice_see_the_neighbours():
    pytest.importorskip('hibari')
    table = Pieces.load()
    pronouncer = Pronouncer(hibari_phonemes(), table.encode)

    def sounds(*words):
        return [''.join(table.names[piece] for piece in some) for some in pronouncer.pieces(words)]

    assert sounds('the', 'apple')[0] != sounds('the', 'cat')[0]
    assert sounds('I', 'read', 'it', 'yesterday.')[1] != sounds('I', 'will', 'read', 'it.')[2]
    assert sounds('France', 'is')[0] == ' fɹˈæns'
    assert all(sounds('It', 'costs', '1,250', 'dollars,', 'e.g.', 'at', 'NASA.'))
    assert pronouncer.failures == 0


@pytest.mark.models
def test_a_date_is_said_as_one_whether_its_words_come_at_once_or_one_by_one():
    pytest.importorskip('hibari')
    pronouncer = Pronouncer(hibari_phonemes(), lambda phonemes: [phonemes])
    for text, said in (
        ('on June 24, 2018 in Paris', 'ˌɔn ʤˈun twˈɛntifˌɔɹθ, twˈɛnti ˌAtˈin ɪn pˈɛɹəs'),
        ('December 25 was', 'disˈɛmbəɹ twˈɛntifˌɪfθ wʌz'),
        ('the May 1, 2001 letter', 'ðə mˈA fˈɜɹst, tˈu θˈWzᵊnd wˈʌn lˈɛTəɹ'),
    ):
        words = text.split()
        whole = pronouncer.pieces(words)
        grown = [pronouncer.pieces(words[:n])[-1] for n in range(1, len(words) + 1)]
        for pieces in (whole, grown):  # the last word of a text has another stress
            found = ' '.join(' '.join(each) for each in pieces)
            assert found.translate(UNSTRESSED) == said.translate(UNSTRESSED)
    assert pronouncer.alone == 0
