"""What is written is spoken by the voice and understood by a recogniser."""

from __future__ import annotations

import re

import pytest

from kame_ros.runtime import weights
from kame_ros.text.spoken_words import words_of

# What is written, and what a recogniser must find in it, in any of its spellings.
SENTENCES = [
    ('It is −5 °C outside.', 'minus (5|five) degrees celsius'),
    ('It takes 3~5 minutes.', '(3|three) to (5|five) minutes'),
    ('We know that 3*4=12.', '(3|three) times (4|four) is (12|twelve)'),
    ('The result is 2^10 bytes.', '(2|two) to the power of (10|ten) bytes'),
    ('That makes 100±5 grams.', '(100|one hundred) plus or minus (5|five) grams'),
    ('It drives at 60 km/h now.', '(60|sixty) kilometers per hour'),
    ('Add ½ cup of sugar.', '(one half|1 half|half a|1/2) cup of sugar'),
    ('Take 1½ cups of milk.', '(one|1) and a half cups'),
    ('The ratio is 3:1 here.', 'ratio is (3 |three )(to )?(1|one)'),
    ('The train leaves at 10:30 a.m. today.', '(10 ?30|ten thirty) ?a ?m'),
    ('King Henry VIII had six wives.', 'henry (viii|the eighth|the 8th) had'),
    ('That was in World War II.', 'world war (ii|2|two)'),
    ('Write to info@example.org please.', 'info at example ?(dot)? ?org'),
    ('Go to https://example.com/x for more.', 'example ?(dot)? ?com for more'),
    ('It happened on 2026-11-25.', 'november (25th|twenty fifth) (2026|twenty twenty six)'),
    ('Please install v3.2.1 of it.', 'version (3 ?2 ?1|three point two point one)'),
    ('Call me at 555-0174, please.', '5 ?5 ?5 ?0 ?1 ?7 ?4|five five five zero one seven four'),
    ('It costs $3.50 only.', '(3 ?50|three dollars and fifty cents)'),
    ('They paid €20 for it.', '(20|twenty) euros?|€20'),
    ('The area is 5 m² in all.', '(5|five) square meters'),
    ('He came 1st and she came 2nd.', '(first|1st) and she came (second|2nd)'),
    ('About 50% of it is water.', '(50|fifty) ?(percent)? of it'),
    ('It cost $5 million to build.', '(5|five) million'),
    ('The room is 5\'10" high.', '(5|five) feet (10|ten) inches'),
    ('It is 20–25 °C today.', '(20|twenty) to (25|twenty five) degrees celsius'),
    ('The code is 4711, I think.', '4 ?7 ?1 ?1|four seven one one'),
    ('We need 3/4 cup of it.', '(three|3) quarters|3/4'),
    ('It is 16 GB of memory.', '(16|sixteen) (gigabytes|gb)'),
]


def plain(text: str) -> str:
    return ' '.join(re.findall(r'[a-z0-9/€]+', text.lower().replace("'", '')))


@pytest.mark.models
@pytest.mark.long
def test_a_recogniser_hears_what_a_person_would_read() -> None:
    import soxr

    from kame_ros.s2s.tts.voice import HibariVoice

    faster_whisper = pytest.importorskip('faster_whisper')
    try:
        voice = HibariVoice()
        path = weights.find('whisper-base', 'stt')
    except weights.MissingWeights as missing:
        pytest.skip(str(missing))
    model = faster_whisper.WhisperModel(str(path), device='cpu', compute_type='int8')
    wrong = []
    for written, right in SENTENCES:
        sound = voice.say([word.speech for word in words_of(written, ended=True)]).samples
        segments, _ = model.transcribe(soxr.resample(sound, 24_000, 16_000), language='en')
        heard = plain(''.join(segment.text for segment in segments))
        if not re.search(right, heard):
            wrong.append((written, heard))
    assert not wrong
