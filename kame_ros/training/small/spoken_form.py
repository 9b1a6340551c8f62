"""One form for two writings of the same speech: "$3.50 on May 3rd" and "three fifty on may third".

What a recogniser writes and what an oracle wrote can only be compared so: each digit is a word.
"""

from __future__ import annotations

import re

_ONES = (
    'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven',
    'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen',
)  # fmt: skip
_TENS = ('twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety')
_SCALES = {'thousand': 10**3, 'million': 10**6, 'billion': 10**9, 'trillion': 10**12}
_SMALL = {name: number for number, name in enumerate(_ONES)} | {
    name: 10 * number for number, name in enumerate(_TENS, 2)
}
_ORDINALS = {
    'first': 'one', 'second': 'two', 'third': 'three', 'fifth': 'five', 'eighth': 'eight',
    'ninth': 'nine', 'twelfth': 'twelve',
} | {
    f'{name.removesuffix("y")}{"ie" if name.endswith("y") else ""}th': name
    for name in ('four', 'six', 'seven', 'ten', 'eleven', *_ONES[13:], *_TENS)
}  # fmt: skip
_SHORT = {'mr': 'mister', 'mrs': 'missus', 'dr': 'doctor', 'st': 'saint', 'ok': 'okay'}
_SIGNS = (
    (r'\be\.g\.', 'for example'),
    (r'\bi\.e\.', 'that is'),
    (r'([ap])\.\s?m\b\.?', r'\1m'),
    (r'(\d),(?=\d{3})', r'\1'),
    (r'\$(\d+)\.(\d\d)', r'\1 dollars \2 cents'),
    (r'\$(\d+)', r'\1 dollars'),
    (r'dollars and (?=[\w -]+ cents)', 'dollars '),
    (r'(\d)\.(?=\d\d [ap]m)', r'\1 '),
    (r'(\d)\.(?=\d)', r'\1 point '),
    (r'(?<=\d) m\b', ' meters'),
    (r'(\d)(?:st|nd|rd|th)\b', r'\1'),
    (r'%', ' percent '),
    (r'&', ' and '),
    (r'(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)', ' '),
)


def spoken_words(text: str) -> list[str]:
    """The words in small letters without marks, numbers as digits.

    >>> spoken_words("It's 25 degrees, Mr. Twenty-Five.")
    ["it's", '2', '5', 'degrees', 'mister', '2', '5']
    """
    from hibari.g2p.normalize import normalize

    text = normalize(text).lower().replace('\u2019', "'")
    for sign, said in _SIGNS:
        text = re.sub(sign, said, text)
    found = [_SHORT.get(word, word) for word in re.findall(r"[a-z][a-z']*|\d+", text)]
    words: list[str] = []
    for word in _numbers([_ORDINALS.get(word, word) for word in found]):
        words += word if word.isdigit() else [word]
    return words


def _numbers(words: list[str]) -> list[str]:
    """Numbers in words become figures: "two hundred and five" is "205", "nineteen ten" "1910"."""
    out: list[str] = []
    at = 0
    while at < len(words):
        if words[at] in _SMALL or words[at].isdigit():
            number, at = _number(words, at)
            out.append(str(number))
        else:
            out.append(words[at])
            at += 1
    return out


def _number(words: list[str], at: int) -> tuple[int, int]:
    """The number that begins at a word, and the word after it."""
    whole, part, room = 0, -1, 10**15  # `room`: what is added must be less
    while at < len(words):
        word = words[at]
        if word == 'and' and part >= 0 and words[at - 1] in ('hundred', *_SCALES):
            if at + 1 == len(words) or words[at + 1] not in _SMALL:
                break
            at += 1
            continue
        if word == 'hundred' and 0 < part < 100:
            part, room = part * 100, 100
        elif word in _SCALES and part > 0:
            whole, part, room = whole + part * _SCALES[word], 0, _SCALES[word]
        elif word in _SMALL and _SMALL[word] < room:
            value = _SMALL[word]
            part = max(0, part) + value
            room = 10 if value >= 20 else 0
        elif word.isdigit() and part < 0:
            part, room = int(word), 0
        else:
            break
        at += 1
    return whole + max(0, part), at
