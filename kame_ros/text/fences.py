"""Blocks between fences ("```"): code is left out, but prose is read, and so is a whole answer."""

from __future__ import annotations

import re

_PROSE = frozenset(
    ('text', 'txt', 'plain', 'plaintext', 'markdown', 'md', 'none', 'answer', 'quote')
)
_CODE = re.compile(
    r"""\s*(?:
        (?:import|from\s+\S+\s+import|def|class|function|fn|func|var|let|const|return|public|private
           |static|void|int\s+\w+\s*[=(;]|package|using|namespace|select\s.+\sfrom|insert\s+into|async)\b
        | \#(?:include|!|\s?define) | [$%>#]\s | //|/\*|<[!?/A-Za-z]|[{\[@]|--\w
        | (?:sudo|pip3?|npm|npx|git|cd|ls|apt(?:-get)?|docker|make|curl|wget|ros2|colcon|python3?
             |source|export|mkdir|chmod|ssh|echo)\s+[-./\w"'$]
        | .*(?:[;{]\s*\Z | \w{2,}\([^)]*\) | ==|!=|=>|->|::|&& | \w\.\w+\()
        | (?:if|for|while)\b.*:\s*\Z
        | [\w.\[\]]+\s*[-+*/]?=\s*["'\[{]
    )""",
    re.VERBOSE | re.IGNORECASE,
)
MOST = 300  # characters of a line that tells whether a block is code


def is_code(language: str, line: str) -> bool:
    """Whether a block in `language` ('' if it says none) whose first line is `line` is code."""
    language = language.strip('{}.').lower()
    if language in _PROSE:
        return False
    return bool(language) or bool(_CODE.match(line))
