"""What a model does instead of saying it: "*smiles*", "[laughs softly]", "[pause]"."""

from __future__ import annotations

import re

_DOES = """
    smile grin laugh chuckle giggle sigh gasp nod wave wink shrug blink pause think ponder beep
    whir hum cough yawn frown bow tilt lean gesture clap whisper sing clear look glance scratch
    """
_WORDS = '|'.join(
    sorted(
        {
            form
            for verb in _DOES.split()
            for form in (f'{verb}s', f'{verb}es', f'{verb.rstrip("e")}ing', f'{verb}ning')
        }
        | {'laughter', 'pause', 'long pause', 'short pause', 'silence', 'applause', 'beat'},
        key=lambda word: (-len(word), word),
    )
)
_INSIDE = rf'(?:{_WORDS})(?:[ ,][^*\[\]\n]{{0,80}})?'
STARRED = re.compile(rf'\*(?:{_INSIDE})\*(?![\w*])', re.IGNORECASE)
STARRED_BEGINS = re.compile(rf'\*(?:[A-Za-z ]{{0,14}}|{_INSIDE})(?:\*)?\Z', re.IGNORECASE)
BRACKETED = re.compile(rf'\[(?:{_INSIDE})\](?![(\[])', re.IGNORECASE)
BRACKETED_BEGINS = re.compile(rf'\[(?:[A-Za-z ]{{0,14}}|{_INSIDE})(?:\])?\Z', re.IGNORECASE)
NEW_SENTENCE = re.compile(r'\Z|\n|["\'“‘(*\[¡¿]{0,2}(?:[A-Z¡¿]|[^\W\d_a-z])')
