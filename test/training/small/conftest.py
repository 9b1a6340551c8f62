# ruff: noqa: E501 - the lines of WordNet are long
from pathlib import Path

import pytest

from kame_ros.training.small.corpus import Corpus

# Lines in the format of WordNet 3.0 (manual page wndb), written for these tests.
NOUNS = """
  1 This is a licence.
00000001 05 n 02 dolphin 0 sea_pig 0 000 | any of various small toothed whales; "the dolphins jumped over the waves"
00000002 05 n 01 badger 0 000 | sturdy carnivorous burrowing mammal with strong claws (widely distributed)
00000003 15 n 02 Lisbon 0 Lisboa 0 000 | capital and largest city and economic center of Portugal
00000004 15 n 01 Portugal 0 000 | a republic in western Europe on the Iberian Peninsula
00000005 18 n 02 Kepler 0 Johannes_Kepler 0 000 | German astronomer who first stated laws of planets (1571-1630)
00000006 06 n 01 hammer 0 000 | a hand tool with a heavy rigid head and a handle
00000007 06 n 01 zither 0 000 | a musical stringed instrument with strings stretched over a flat sounding board
00000008 06 n 01 gimcrack 0 000 | something that is showy and worthless; "he sold GIMCRACKS, ETC, ETC"
"""
VERBS = """
00000011 30 v 01 puncture 0 000 | cause to lose air pressure or collapse by piercing; "puncture an air balloon"
"""
ADJECTIVES = """
00000012 00 a 01 varied(a) 0 000 | broken away from sameness; "her quickly varied answers indicated uncertainty"
00000013 00 s 01 heavy 0 000 | of great weight
"""
ADVERBS = """
00000014 02 r 01 calmly 0 000 | with self-possession; "he answered her questions calmly and slowly"
"""
COUNTED = 'dolphin%1:05:00:: 1 5\nhammer%1:06:00:: 1 9\nheavy%5:00:00:: 1 2\nvaried%3:00:00:: 1 2\n'
FORTUNES = """The best way out is always through.
\t\t-- Robert Frost
%
Too short.
%
You can observe a lot just by watching. That is all
that there is to it, isn't it?
"""


@pytest.fixture(scope='session')
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the Debian packages give it, with a WordNet of eleven meanings."""
    folder = tmp_path_factory.mktemp('texts')
    wordnet = folder / 'usr/share/wordnet'
    wordnet.mkdir(parents=True)
    files = {'noun': NOUNS, 'verb': VERBS, 'adj': ADJECTIVES, 'adv': ADVERBS}
    for kind, lines in files.items():
        (wordnet / f'data.{kind}').write_text(lines.lstrip('\n'), encoding='latin-1')
    (wordnet / 'cntlist.rev').write_text(COUNTED)
    fortunes = folder / 'usr/share/games/fortunes'
    fortunes.mkdir(parents=True)
    (fortunes / 'wise').write_text(FORTUNES)
    (fortunes / 'wise.dat').write_bytes(b'\x00')
    return folder


@pytest.fixture(scope='session')
def corpus(texts: Path) -> Corpus:
    return Corpus(texts)
