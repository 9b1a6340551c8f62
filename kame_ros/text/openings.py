"""What models write in front of an answer, or in its place: labels, and calls of tools as code."""

from __future__ import annotations

import re

LABELS = (
    'assistant', 'ai assistant', 'ai', 'bot', 'chatbot', 'robot', 'answer', 'final answer',
    'response', 'final response', 'reply',
)  # fmt: skip
LABEL = re.compile(
    rf'[*_#\s]{{0,6}}(?:{"|".join(LABELS)})[ \t]?[*_]{{0,3}}[ \t]?:[*_]{{0,3}}\s', re.IGNORECASE
)
_LETTERS = re.compile(r'[*_#\s]{0,6}([A-Za-z ]{0,15})[*_]{0,3}[ \t]?:?[*_]{0,3}\Z')
# A call of a tool as Python writes it: a name of several letters, and named or quoted values.
_NAME = r'\w{3,60}(?:\.\w{1,60}){0,4}'
_VALUES = r'(?:\w{1,60}\s?=\s?["\'\[{(\w-]|["\'{\[])'
_NESTED = rf'(?:{_NAME}\(){{1,3}}(?:{_VALUES}|\))'  # print(get_weather(city="Paris"))
_BEFORE = r'(?:tool_code\s{1,3})?(?:\w{1,60}\s?=\s?)?(?:await\s)?'
PYTHON_CALL = re.compile(
    rf'\[\s?{_NAME}\((?:{_VALUES}|\))|(?=[a-z_]){_BEFORE}{_NAME}\((?:{_VALUES}|{_NESTED})'
)
END_OF_PYTHON_CALL = re.compile(r'(?<=[\w"\'\]})(])\s{0,9}\)')
END_OF_PYTHON_CALLS = re.compile(r'\)\s{0,9}\]')
_CALL_BEGINS = re.compile(
    rf'(?:\[\s?|(?=[a-z_]){_BEFORE})(?:\w{{1,60}}(?:\.\w{{0,60}}){{0,4}}'
    rf'(?:\((?:{_NAME}\(){{0,3}}[\w.]{{0,60}}\s?(?:=\s?)?)?)?\Z'
    r'|(?=[a-z_])\w{1,60}\s?\Z'
)
# Thoughts, actions and an answer, one below the other ("ReAct"): all before the answer is hidden.
STEPS = re.compile(r'Thought[ \t]?:\s|Action[ \t]?:[ \t]*\w{1,60}(?:[\[(]|\s*\n\s*Action Input)')
_STEPS_BEGIN = re.compile(
    r'T(?:h(?:o(?:u(?:g(?:ht?)?)?)?)?)?[ \t]?:?\Z'
    r'|A(?:c(?:t(?:i(?:on?)?)?)?)?\Z'
    r'|Action[ \t]?(?::[ \t]*(?:\w{0,60}\s{0,9})(?:Action[ \w]{0,6})?)?\Z'
)
ANSWER = re.compile(r'\n[ \t]{0,9}(?:Final Answer|Answer)[ \t]?:', re.IGNORECASE)


def end_of_call(begun: str) -> re.Pattern[str]:
    """What ends the calls whose beginning PYTHON_CALL has found: as many brackets as are open."""
    if begun[0] == '[':
        return END_OF_PYTHON_CALLS
    depth = len(re.findall(r'\w\(', begun))
    if depth == 1:
        return END_OF_PYTHON_CALL
    return re.compile(rf'(?:\s{{0,9}}\)){{{depth}}}|(?<=\))[ \t]{{0,9}}(?=\n)')


def may_begin(rest: str) -> bool:
    """Whether a text that begins in this way may turn out to begin with a label or a call."""
    if len(rest) > 120:
        return False
    label = _LETTERS.match(rest)
    if label:
        begun = ' '.join(label[1].lower().split())
        if any(known.startswith(begun) for known in LABELS):
            return True
    if _STEPS_BEGIN.match(rest):
        return True
    return bool(_CALL_BEGINS.match(rest))
