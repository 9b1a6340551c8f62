"""Ends an answer where the LLM goes on as the user: "Paris. User: And Spain? Assistant: …"."""

from __future__ import annotations

import re

from kame_ros.text.markup import PART
from kame_ros.text.openings import LABELS

_USERS = (
    'user', 'human', 'benutzer', 'nutzer', 'utilisateur', 'utilisatrice', 'usuario', 'usuaria',
    'ユーザー', 'ユーザ', '用户',
)  # fmt: skip
_OWN = (
    'assistant', 'ai assistant', 'ai', 'assistent', 'assistante', 'asistente', 'アシスタント',
    '助手',
)  # fmt: skip
# Where a part may begin: a line, or a sentence; and the colon, not as in "user:password".
_BEGINS = r'(?:\n|[.!?…]["\'”’»)\]]{0,2}\s|[。！？][」』]?)\s?'
_COLON = r'[ \xa0]?(?::(?!(?-i:[a-z:/]))|：)'
_CONTEXT = 6  # characters, as many as tell that a part may begin
_TAIL = 40  # characters: more than a label and what is in front of it
_MAY_BE = re.compile(rf'{_BEGINS}((?:[^\W\d_]{{1,12}} ?){{0,2}}[ \xa0]?:?)\Z')


def _label(names: tuple[str, ...], otherwise: str = '(?!)') -> re.Pattern[str]:
    longest_first = '|'.join(sorted(names, key=len, reverse=True))
    return re.compile(rf'({_BEGINS})(?:{longest_first}){_COLON}|{otherwise}', re.IGNORECASE)


_OTHER_PART = _label(_USERS + _OWN, PART)
_OWN_PART = _label((*_OWN, *LABELS))
_NAMES = {*_USERS, *_OWN, *LABELS}


class OwnPart:
    """The robot's own part of a plain text that grows; ends of lines are kept in it, see Markup.

    A text that begins with the user's part is read from its first own label on. What may still
    become a label is held back, a word or two at most; how the text was cut into pieces does not
    matter.
    """

    def __init__(self) -> None:
        self.cut = False  # another part has begun: nothing more comes
        self._rest = ''  # not given out
        self._before = '\n'  # the end of what was
        self._begun = False  # something was given out that is no blank
        self._skips = False  # it is in the user's part, with which the text began

    def push(self, new: str, ended: bool = False) -> str:
        """Returns what is surely the robot's own. `ended`: the text is complete."""
        if self.cut:
            return ''
        self._rest += new
        while label := self._label(ended):
            place = label.end(1) if label[1] is not None else label.start()
            own = self._rest[: max(0, place - len(self._before))]
            self._rest = self._rest[label.end() - len(self._before) :].lstrip()
            self._before = ''
            if self._begun or (own.strip() and not self._skips):
                self.cut, self._rest = True, ''
                return own
            self._skips = not self._skips
        return self._give(len(self._rest) if ended else self._sure())

    def _label(self, ended: bool) -> re.Match[str] | None:
        text = self._before + self._rest
        label = (_OWN_PART if self._skips else _OTHER_PART).search(text)
        told = label is not None and (ended or label.end() < len(text) or label[0][-1] != ':')
        return label if told else None

    def _sure(self) -> int:
        """How much of the rest is no label, whatever follows."""
        text = self._before + self._rest
        found = _MAY_BE.search(text, max(0, len(text) - _TAIL))
        if found is None:
            return len(self._rest)
        key = found[1].casefold()
        name = key.rstrip(' \xa0:')
        held = name in _NAMES or any(known.startswith(key) for known in _NAMES)
        return max(0, len(self._rest) - len(found[1]) * held)

    def _give(self, size: int) -> str:
        given, self._rest = self._rest[:size], self._rest[size:]
        self._before = (self._before + given)[-_CONTEXT:]
        self._begun = self._begun or bool(given.strip() and not self._skips)
        return '' if self._skips else given
