"""Whether a sentence may end where it ends, in five languages."""

from __future__ import annotations

import pytest

from kame_ros.turns.sentence_end import is_complete, knows


@pytest.mark.parametrize(
    ('text', 'complete'),
    [
        ('What is the capital of France?', True), ('I would like to', False),
        ('Yes, please.', True),
        ('I would like to.', False), ('Please bring me a', False), ('My name is', False),
        ('Tell me about the weather...', False), ('The first one,', False), ('Stop.', True),
        ('If a train leaves at noon.', False), ('If it rains, stay here.', True),
        ('What is it made of?', True), ('Because', False), ('Hello. Can you give', False),
        ('', False),
        ('Wake me up at 7 a.m.', True), ('Wake me up at 7:30 AM.', True), ('At 7am', True),
        ('My birthday is in May.', True), ('Take plan A.', True), ('Then I am', False),
        ('Call my friend Will.', True), ('If it will', False), ('It was. A.', False),
        ('THEN I AM', False), ('You may', False), ('I want a', False), ('Yes. May', False),
        ('Why?', True), ('Where to?', True), ('Where', False), ('What is?', False),
        ('After that I walked home.', True), ('After the train arrives.', False),
        ('When is the next train', True), ('When the next train comes.', False),
        ('When does it arrive?', True), ('Um', False), ('Thank you.', True), ('Come in', True),
        ('How long does it', False), ('How long does it?', False),
        ('Well, could you please', False), ('Which colour would they.', False),
        ('How do you do it', True), ('What time is it', True),
        ('Could you?', True), ('It works, does it?', True), ('Where are you', True),
        ('Tell me more about', False), ('What are you talking about', True),
        ('Tell me what it is about', True), ('There is a lot to talk about.', True),
    ],
)  # fmt: skip
def test_complete_sentences(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


@pytest.mark.parametrize(
    ('language', 'text', 'complete'),
    [
        ('de', 'Wie spät ist es?', True), ('de', 'Ich möchte gerne wissen, ob', False),
        ('de', 'Stell die Kiste auf den', False), ('de', 'Bring mir ein Glas Wasser.', True),
        ('de', 'Wenn der Zug um zwölf abfährt.', False), ('de', 'Also, äh', False),
        ('de', 'Wenn es regnet, bleib hier.', True), ('de', 'Guten Morgen', True),
        ('fr', 'Quelle heure est-il ?', True), ('fr', 'Je voudrais un', False),
        ('fr', "Apporte-moi un verre d'", False), ('fr', "Un verre d'eau.", True),
        ('fr', 'Si le train part à midi.', False), ('fr', 'Je veux savoir si', False),
        ('fr', 'Merci beaucoup', True), ('fr', "J'ai parlé à ma sœur et", False),
        ('es', '¿Qué hora es?', True), ('es', 'Me gustaría ir con mi', False),
        ('es', 'Quiero saber si', False), ('es', 'Si el tren sale a mediodía.', False),
        ('es', 'Tráeme un vaso de agua.', True), ('es', 'Hablé con mi hermana y', False),
        ('es', 'Gracias', True),
        ('ja', '今何時ですか。', True), ('ja', '机の上に', False),
        ('ja', '電車は十二時に出ますが', False),
        ('ja', '水を持ってきてください。', True), ('ja', 'ええと、', False),
        ('ja', '雨が降ったら', False),
        ('ja', 'ありがとう', True), ('ja', '。', False),
        # Nobody knows its words: what is there counts as whole, unless it breaks off.
        ('fi', 'Haluaisin', True), ('fi', 'Haluaisin...', False), ('fi', '', False),
    ],
)  # fmt: skip
def test_other_languages(language: str, text: str, complete: bool) -> None:
    assert is_complete(text, language) is complete


def test_what_is_known():
    assert [knows(code) for code in ('en', 'de', 'fr', 'es', 'ja', 'fi', '')] == [True] * 5 + [
        False
    ] * 2
