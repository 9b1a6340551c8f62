"""Takes what is not to be read aloud out of a growing text: markup, reasoning, calls of tools."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable

from kame_ros.text import fences, latex, openings, stage
from kame_ros.text import model_marks as marks

_PLAIN = re.compile(r'[^<\[\]!*_`~|&\\\n\r\x1b◁【{}$^ĠĊ]+')
_NAME = r'[A-Za-z][\w:.-]*(?:=[\w:.-]+)?'
_VALUE = r'"[^"<>]{0,300}"|\'[^\'<>]{0,300}\'|[^\s"\'<>=]{1,300}'
_TAG = re.compile(
    rf'<(/?)({_NAME})((?:\s+[\w:.-]{{1,40}}(?:\s*=\s*(?:{_VALUE}))?){{0,12}})\s*(/?)>'
)
_TAG_BEGINS = re.compile(
    rf'<(?:/?(?:({_NAME}=?)((?:\s+[\w:.-]{{1,40}}(?:\s*=\s*(?:{_VALUE}))?){{0,12}})'
    r'(?:\s+[\w:.-]{0,40}\s*(?:=\s*(?:"[^"<>]{0,300}|\'[^\'<>]{0,300}|[^\s"\'<>]{0,300})?)?)?\s*/?)?)?\Z'
)
_BARE = re.compile(r'\s[\w:.-]+(?=\s|\Z)(?!\s*=)')
_AUTOLINK = re.compile(r'<((?:https?://|mailto:|www\.)[^\s<>]{1,500}|[\w.+-]{1,64}@[\w.-]{1,200})>')
_AUTOLINK_BEGINS = re.compile(
    r'<(?:(?:https?://|mailto:|www\.)[^\s<>]{0,500}|[\w.+-]{1,64}(?:@[\w.-]{0,200})?)\Z'
)
_COMMENT = re.compile(r'<!--|<!\[CDATA\[|<[!?]')
_ENTITY = re.compile(r'&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});')
_ENTITY_BEGINS = re.compile(r'&(?:#\d{0,7}|#[xX][0-9a-fA-F]{0,6}|[A-Za-z][A-Za-z0-9]{0,30})?\Z')
_ADDRESS = (
    r'\(\s{0,3}<?[^\s()<>]{0,1000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200}){0,3}>?'
    r'(?:\s{1,3}(?:"[^"\n]{0,200}"|\'[^\'\n]{0,200}\'))?\s{0,3}\)'
)
_LINK = re.compile(rf'\](?:{_ADDRESS}|\[[^\[\]\n]{{0,60}}\])')
_LINK_BEGINS = re.compile(
    r'\](?:\(\s{0,3}<?[^\s()<>]{0,1000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200}){0,3}'
    r'(?:\([^\s()<>]{0,200})?>?(?:\s{1,3}(?:"[^"\n]{0,200}"?|\'[^\'\n]{0,200}\'?)?)?\s{0,3}'
    r'|\[[^\[\]\n]{0,60})?\Z'
)
_CITATION = re.compile(r'\[\^?[1-9]\d{0,2}\]')
_CITATION_BEGINS = re.compile(r'\[\^?(?:[1-9]\d{0,2})?\Z')
_SOURCE = re.compile(r'【[^【】]{0,60}】')
_SOURCE_BEGINS = re.compile(r'【[^【】]{0,60}\Z')
_ESCAPE = re.compile(r'\x1b(?:\[[0-9;?]{0,20}[A-Za-z]|[^\[])')
_ESCAPE_BEGINS = re.compile(r'\x1b(?:\[[0-9;?]{0,20})?\Z')
_BRACES = r'(?:\s?[_^]?\{[^{}\n]{0,100}\})'
_LATEX = re.compile(rf'\\([A-Za-z]{{1,20}})((?:\[\w{{0,9}}\])?{_BRACES}{{0,2}})')
_LATEX_BEGINS = re.compile(
    rf'\\(?:[A-Za-z]{{1,20}}(?:\[\w{{0,9}}(?:\])?)?{_BRACES}{{0,2}}(?:\s?[_^]?(?:\{{[^{{}}\n]{{0,100}})?)?)?\Z'
)
# A formula between "$" as Pandoc knows it: no blank inside its marks, no digit behind them.
_MATH = re.compile(r'\$\$([^$]{1,600})\$\$|\$(?![\s$])([^$\n]{1,200})(?<![\s\\(])\$(?!\d)')
_MATH_BEGINS = re.compile(r'\$(?:\$[^$]{0,600}\$?|(?![\s$])[^$\n]{0,200}\$?)?\Z')
_PRICE = re.compile(
    r'\$\s?\d[\d.,]*(?:[^\w\s\\^+=*×/÷{<>$.,]|[kKmMbBtT]|\s[^\s\\^_+=*×/÷{<>$\d.,]'
    r'|\s\s|\n|/[A-Za-z]|\+\s)|\$\s'
)
_BRACKETED = re.compile(r'\\\(((?:[^\\]|\\[^)]){1,600})\\\)|\\\[((?:[^\\]|\\[^\]]){1,600})\\\]')
_BRACKETED_BEGINS = re.compile(
    r'\\(?:\((?:[^\\]|\\[^)]){0,600}\\?|\[(?:[^\\]|\\[^\]]){0,600}\\?)?\Z'
)
# As Pandoc writes what is below and above the line: H~2~O, x^2^, 1^st^.
_BELOW = re.compile(r'~([\w+-]{1,6})~(?!~)')
_BELOW_BEGINS = re.compile(r'~(?:[\w+-]{1,6}~?)?\Z')
_ABOVE = re.compile(r'\^([+-]?\w{1,6}[+-]?)\^(?=\W)')  # not from power to power: x^2+x^2
_ABOVE_LAST = re.compile(r'\^([+-]?\w{1,6}[+-]?)\^(?!\w)')
_ABOVE_BEGINS = re.compile(r'\^[\w+-]{0,6}\^?\Z')
_BLANK_MARKS = {'Ġ': ' ', 'Ċ': '\n'}  # how the tokens of some models write these
# At the start of a line: a heading, a quote, an item of a list, a rule, the row of a table.
_HEADING = re.compile(r'#{1,6}[ \t]+')
_ITEM = re.compile(r'[-*+•‣▪◦●○–—][ \t]+(?:\[[ xX]\][ \t]+)?')
_ITEM_BEGINS = re.compile(r'[-*+•‣▪◦●○–—](?:[ \t]+(?:\[(?:[ xX](?:\][ \t]*)?)?)?)?\Z')
_NUMBER = re.compile(r'(\d{1,3}[.)])[ \t]+')
_NUMBER_BEGINS = re.compile(r'\d{1,3}[.)]?\Z')
_RULE = re.compile(
    r'(?:[-*_=][ \t]{0,2}){3,60}(?:\r?\n|\Z)|\|?[ \t]{0,3}:?-{2,60}:?[|:\- \t]{0,200}(?:\r?\n|\Z)'
)
_RULE_BEGINS = re.compile(
    r'(?:[-*_=][ \t]{0,2}){1,60}\r?\Z|\|?[ \t]{0,3}:?-{0,60}:?[|:\- \t]{0,200}\r?\Z'
)
_ENDS = (*'.!?…:;,。！？、',)
_CLOSERS = '"\')”’»]'
_BEFORE_STAGE = ('', *_ENDS, '-', '–', '—')  # signs behind which somebody smiles
_GOES_ON = (',', ';', ':', '-', '–', '—')
_SEEN = 3  # characters that tell whether a new sentence begins
_SLICE = 4_096  # characters that are looked at in one go
_HELD = 120  # characters of hidden text that are kept, to find its end in
_FORMULA = 1_300  # characters, marks included, that a formula may have
_COLLECTED = 4_000  # characters of a request: longer ones are refused
_MAX_REQUESTS = 8  # of one answer
_USERS = frozenset(['user', 'human', 'user_token'])
PART = '\x1e'  # stands where the model begins the user's part with its own marks
_SYMBOLS = frozenset('°№™®©℃℉←↑→↓⇒⇔↔√∛')  # that Unicode calls pictures, but are read


class Markup:
    """Plain text out of a stream of pieces; how it was cut into pieces does not matter.

    `thinking`: the stream begins inside a reasoning trace, as with models whose template opens it.
    `request` are an opening and a closing mark: what is between them is collected in `requests`.
    `hidden` are further marks of a model: "open...close" hides what is between, "mark" itself only.
    `parts`: the ends of lines are kept, and PART tells where the model goes on as the user.

    What may still become markup is held back, a few characters at most. A closing mark of reasoning
    without an opening one says that all before it was reasoning: `restarts` counts these, and
    what `push` returned before the last of them is to be forgotten.
    """

    def __init__(
        self,
        thinking: bool = False,
        request: tuple[str, str] | None = None,
        hidden: Iterable[str] = (),
        parts: bool = False,
    ) -> None:
        self.requests: list[str] = []
        self.restarts = self.thoughts = self.calls = 0
        self._rest = ''
        self._out: list[str] = []
        self._request = request
        self._parts = parts
        self._literals = _literals(request, hidden)
        self._triggers = {literal[0] for literal in self._literals}
        self._plain = _plain_but(self._triggers)
        self._until: re.Pattern[str] | None = None
        self._then: Callable[[str], None] | None = None
        self._inside = ''
        self._last = ''  # the last character that was given out, but spaces
        self._kept = ''  # the end of what was given out
        self._raw = ''  # the last one that was read
        self._line_start = True
        self._block = self._row = False  # the line is a heading or an item; a row of a table
        self._break = self._cell = ''  # what is due before the next word
        self._space = False  # a space is due, too
        self._fence = ''  # the sign of the fence around the prose that is read
        self._marked = False  # blanks are written as marks
        if thinking:
            self._hide(re.compile(r'</think(?:ing)?\s*>|\[/THINK\]|◁/think▷', re.I))

    def push(self, piece: str) -> str:
        """Takes a piece and returns the text that is surely to be read."""
        said, before = '', self.restarts
        for start in range(0, len(piece), _SLICE):
            self._rest += piece[start : start + _SLICE]
            part = self._run(final=False)
            said = said + part if self.restarts == before else part
            before = self.restarts
        return said

    def flush(self) -> str:
        """Returns what was held back; reasoning without an end stays unsaid."""
        return self._run(final=True)

    def _run(self, final: bool) -> str:
        before = self.restarts
        while self._rest and self._step(final):
            if self.restarts > before:
                before, self._out = self.restarts, []
        text, self._out = ''.join(self._out), []
        return text

    # -- one step: takes something off the rest; False if more must come first ---------------

    def _step(self, final: bool) -> bool:
        if self._until is not None:
            return self._step_hidden()
        if self._line_start:
            return self._step_line(final)
        first = self._rest[0]
        if first in self._triggers and (done := self._step_literal(final)) is not None:
            return done
        if plain := self._plain.match(self._rest):
            return self._take(plain.end(), plain[0])
        if _PLAIN.match(first):  # it begins a mark elsewhere
            return self._take(1, first)
        match first:
            case '\n' | '\r':
                return self._step_newline(final)
            case '<':
                return self._step_angle(final)
            case '&':
                if marks.SPACED.match(self._rest):
                    return self._step_angle(final)
                if not final and marks.SPACED_BEGINS.match(self._rest):
                    return False
                return self._step_pattern(_ENTITY, _ENTITY_BEGINS, final, _unescape)
            case '[':
                if (
                    done := self._step_stage(stage.BRACKETED, stage.BRACKETED_BEGINS, final)
                ) is not None:
                    return done
                return self._step_pattern(_CITATION, _CITATION_BEGINS, final, '', '')
            case ']':
                return self._step_pattern(_LINK, _LINK_BEGINS, final, '', '')
            case '!':
                return self._step_pattern(re.compile(r'!(?=\[)'), re.compile(r'!\Z'), final, '')
            case '【':
                return self._step_pattern(_SOURCE, _SOURCE_BEGINS, final, '', '')
            case '\x1b':
                return self._step_pattern(_ESCAPE, _ESCAPE_BEGINS, final, '', '')
            case '\\':
                return self._step_backslash(final)
            case '|':
                self._cell = ',' if self._row or self._raw in ' \t' else self._cell or ' '
                return self._take(1, '')
            case '{' | '}':
                return self._take(1, '')
            case '$':
                return self._step_dollar(final)
            case '^':
                return self._step_pattern(
                    _ABOVE_LAST if final else _ABOVE, _ABOVE_BEGINS, final, _above
                )
            case 'Ġ' | 'Ċ':
                return self._step_blank_mark(final)
        return self._step_run(final)  # * _ ` ~

    def _step_hidden(self) -> bool:
        assert self._until is not None
        end = self._until.search(self._rest)
        if end is None:
            cut = max(0, len(self._rest) - _HELD)
            self._collect(self._rest[:cut])
            self._rest = self._rest[cut:]
            return False
        self._collect(self._rest[: end.start()])
        inside, then = self._inside, self._then
        self._rest = self._rest[end.end() :]
        self._until = self._then = None
        self._inside, self._raw = '', ' '
        if then is not None:
            then(inside)
        return True

    def _collect(self, text: str) -> None:
        if len(self._inside) < _COLLECTED:
            self._inside += text

    def _step_literal(self, final: bool) -> bool | None:
        """A mark that is no tag; None if there is none."""
        for literal, close in self._literals.items():
            if self._rest.startswith(literal):
                self._open_literal(literal, close)
                return True
        begins = any(literal.startswith(self._rest) for literal in self._literals)
        return False if begins and not final else None

    def _open_literal(self, literal: str, close: str) -> None:
        self._take(len(literal), '')
        if literal == '[INST]':
            self._user_speaks()
        if close == literal:  # it only closes
            self._restart()
        elif close:
            is_request = self._request is not None and literal == self._request[0]
            self._count_hidden(literal)
            self._hide(re.compile(re.escape(close)), self._keep_request if is_request else None)

    def _keep_request(self, inside: str) -> None:
        if len(self.requests) < _MAX_REQUESTS:
            self.requests.append(inside)

    def _count_hidden(self, literal: str) -> None:
        if literal in (bracket[0] for bracket in marks.BRACKETS if bracket[2]):
            self.thoughts += 1
        elif self._request is None or literal != self._request[0]:
            self.calls += 1

    def _step_line(self, final: bool) -> bool:
        """The start of a line."""
        blank = re.match(r'[ \t]+', self._rest)
        if blank:
            return self._take(blank.end(), '')
        rest = self._rest
        if rest[0] in _BLANK_MARKS:
            return self._step_blank_mark(final)
        if byte := marks.BYTE.match(rest):
            return self._step_byte(int(byte[1], 16), final)
        if not final and marks.BYTE_BEGINS.match(rest):
            return False
        if (done := self._step_opening(final)) is not None:
            return done
        if rest[0] in '\n\r':
            return self._step_newline(final)
        if rule := _RULE.match(rest):
            if rest[rule.end() - 1] == '\n' or final:
                self._end_block()
                return self._take(rule.end(), '')
            return False
        for begins in (_RULE_BEGINS, _ITEM_BEGINS, _NUMBER_BEGINS, re.compile(r'#{1,6}\Z')):
            if not final and begins.match(rest):
                return False
        if rest == '>' and not final:
            return False
        if quote := re.match(r'>(?!=)[ \t]?', rest):
            return self._take(quote.end(), '')
        self._line_start = False
        if rest[0] == '|':
            self._row = True
            self._end_block()
            return self._take(1, '')
        block = _HEADING.match(rest) or _ITEM.match(rest)
        if block or _NUMBER.match(rest):
            self._block = True
            self._end_block()
        return self._take(block.end(), '') if block else True

    def _step_opening(self, final: bool) -> bool | None:
        """A call, or at the start of the text a label or steps of thought; None if it is none."""
        rest = self._rest
        if marks.JSON_CALL.match(rest):
            self.calls += 1
            self._hide(re.compile(r'\n[ \t]{0,9}\n' if self._last else r'(?!)'))
            return True
        if rest[0] in '{[' and not final and marks.JSON_CALL_BEGINS.match(rest):
            return False
        if self._last:
            return None
        if label := openings.LABEL.match(rest):
            return self._take(label.end(), '')
        if openings.STEPS.match(rest):
            self.thoughts += 1
            self._hide(openings.ANSWER)
            return True
        if call := openings.PYTHON_CALL.match(rest):
            self.calls += 1
            self._hide(openings.end_of_call(call[0]))
            return True
        return False if not final and openings.may_begin(rest) else None

    def _step_newline(self, final: bool) -> bool:
        rest = self._rest
        if rest[0] == '\r' and len(rest) == 1 and not final:
            return False
        self._take(2 if rest.startswith('\r\n') else 1, '')
        self._end_line()
        return True

    def _end_line(self) -> None:
        if self._line_start or self._block or self._row:  # a blank line, or one of its own
            self._end_block()
            if (self._block or self._row) and self._last:
                self._give_break()
        else:
            self._break = self._break or ' '
        self._line_start, self._block, self._row, self._cell, self._raw = (
            True,
            False,
            False,
            '',
            ' ',
        )

    def _end_block(self) -> None:
        self._break = '.'

    def _step_angle(self, final: bool) -> bool:
        rest = self._rest
        if byte := marks.BYTE.match(rest):
            return self._step_byte(int(byte[1], 16), final)
        if spaced := marks.SPACED.match(rest):
            self._take(spaced.end(), '')
            self._on_tag(spaced[2].lower(), spaced[2], bool(spaced[1]), False, '')
            return True
        if token := marks.TOKEN.match(rest):
            self._take(token.end(), '')
            self._on_token(marks.token_name(token[1]))
            return True
        if link := _AUTOLINK.match(rest):
            return self._take(link.end(), link[1].removeprefix('mailto:'))
        if tag := _TAG.match(rest):
            name = marks.tag_name(tag[2])
            if _may_have_bare(name) or not _has_bare(tag[3]):
                self._take(tag.end(), '')
                self._on_tag(name, tag[2].split('=')[0], bool(tag[1]), bool(tag[4]), tag[3])
                return True
        if comment := _COMMENT.match(rest):
            if not final and ('<!--'.startswith(rest) or '<![CDATA['.startswith(rest)):
                return False
            self._take(comment.end(), '')
            if comment[0] != '<![CDATA[':
                self._hide(re.compile('-->' if comment[0] == '<!--' else '>'))
            return True
        if not final and self._may_be_angle(rest):
            return False
        return self._take(1, ' <' if len(rest) > 1 and rest[1].isalpha() else '<')

    def _step_byte(self, first: int, final: bool) -> bool:
        """A character whose bytes are tokens of their own: "<0xC3><0xA9>" is "é"."""
        size = 1 + (first >= 0xC0) + (first >= 0xE0) + (first >= 0xF0)
        found = re.match(rf'(?:<0x[0-9A-Fa-f]{{2}}>){{1,{size}}}', self._rest)
        assert found is not None
        if found.end() == len(self._rest) < 6 * size and not final:
            return False
        if (
            marks.BYTE_BEGINS.match(self._rest, found.end())
            and found.end() < 6 * size
            and not final
        ):
            return False
        written = bytes.fromhex(''.join(marks.BYTE.findall(found[0])))
        self._rest = written.decode('utf-8', 'ignore') + self._rest[found.end() :]
        return True

    def _may_be_angle(self, rest: str) -> bool:
        for begins in (
            marks.TOKEN_BEGINS,
            _AUTOLINK_BEGINS,
            marks.BYTE_BEGINS,
            marks.SPACED_BEGINS,
        ):
            if begins.match(rest):
                return True
        tag = _TAG_BEGINS.match(rest)
        if tag is None:
            return False
        name = marks.tag_name(tag[1] or '')
        return name in marks.KNOWN or not _has_bare(tag[2] or '')

    def _on_tag(self, name: str, written: str, closes: bool, empty: bool, attributes: str) -> None:
        if name in marks.THOUGHTS or name in marks.CALLS or name in marks.UNSEEN:
            if closes:
                if name in marks.THOUGHTS:
                    self._restart()
            elif not empty:
                self.thoughts += name in marks.THOUGHTS
                self.calls += name in marks.CALLS
                self._hide(marks.end_of_element(written))
        elif name == marks.OPENS_THOUGHT:
            self.thoughts += 1
            self._hide(re.compile(f'<{marks.CLOSES_THOUGHT}>'))
        elif name == marks.CLOSES_THOUGHT:
            self._restart()
        elif name == 'start_of_turn':
            self._hide(re.compile(r'\n|(?<=model)|(?<=user)'), self._on_role)
        elif name in _USERS and not closes:
            self._user_speaks()
        elif name in marks.BLOCKS:
            self._end_block()
        elif name in marks.BREAKS:
            self._break = self._break or (',' if name == 'break' or name[0] == 't' else ' ')
            if name[0] == 't':
                self._break, self._cell = '', ',' if self._last else ''
        elif name == 'img' and (alt := re.search(r'alt\s*=\s*["\']([^"\']*)', attributes)):
            self._emit(alt[1])
        elif name == 'sub' and (alias := re.search(r'alias\s*=\s*["\']([^"\']*)', attributes)):
            self._emit(alias[1])
            self._hide(re.compile(r'</sub\s*>', re.I))
        elif name == 'sup' and not closes:
            self._emit('^')

    def _on_token(self, name: str) -> None:
        if name == 'channel':
            self._hide(
                re.compile(r'<\|message\|>|(?=<\|(?:end|start|return)\|>)'), self._on_channel
            )
        elif name == 'im_start':
            self._hide(re.compile(r'\n'), self._on_role)
        elif name == 'start':
            self._hide(re.compile(r'<\|message\|>|(?=<\|channel\|>)'), self._on_role)
        elif name == 'start_header_id':
            self._hide(re.compile(r'<\|end_header_id\|>'), self._on_role)
        elif name in marks.THOUGHT_TOKENS:
            self.thoughts += 1
            self._hide(marks.END_OF_THOUGHT)
        elif name in marks.CALL_TOKENS:
            self.calls += 1
            self._hide(marks.END_OF_CALL)
        elif name in marks.OTHER_ROLE_TOKENS:
            self._other_speaks(name)
        elif marks.END_OF_THOUGHT.fullmatch(f'<|{name}|>') and name != 'start_response':
            self._restart()

    def _on_role(self, header: str) -> None:
        role = re.split(r'[\s<|]', header.strip().lower())[0]
        if role in marks.OTHER_ROLES:
            self._other_speaks(role)

    def _other_speaks(self, role: str) -> None:
        if role in _USERS:
            self._user_speaks()
        self._hide(marks.START_OF_ROLE)

    def _user_speaks(self) -> None:
        if self._parts and self._last:
            self._out.append(PART)

    def _on_channel(self, header: str) -> None:
        if ' to=' in header:
            self.calls += 1
            self._hide(marks.END_OF_CHANNEL)
        elif header.strip().lower().startswith('analysis'):
            self.thoughts += 1
            self._hide(marks.END_OF_CHANNEL)

    def _hide(self, until: re.Pattern[str], then: Callable[[str], None] | None = None) -> None:
        self._until, self._then, self._inside = until, then, ''

    def _restart(self) -> None:
        self.restarts += 1
        self.thoughts += 1
        self._last = self._kept = self._break = self._cell = ''
        self._space = False
        self._raw, self._line_start = '', True

    def _step_dollar(self, final: bool) -> bool:
        """A formula, or the sign of a price."""
        rest = self._rest
        if not _PRICE.match(rest):
            if found := _MATH.match(rest):
                if found.end() < len(rest) or final or found[1] is not None:
                    return self._step_formula(found)
                return False
            if not final and _MATH_BEGINS.match(rest):
                return False
        return self._take(1, '$')

    def _step_formula(self, found: re.Match[str]) -> bool:
        block = found[2] is None
        if block:
            self._break = self._break or ' '
        said = latex.read(found[1] or found[2])
        self._take(found.end(), f' {said} ' if block else said)
        self._raw = ')'
        return True

    def _step_blank_mark(self, final: bool) -> bool:
        """A mark that stands for a blank or a new line, or else a letter of Maltese."""
        if len(self._rest) == 1 and not final:
            return False
        mark, after = self._rest[0], self._rest[1:2]
        if self._marked or self._raw.strip() or not after.islower():
            self._marked = True
            self._rest = _BLANK_MARKS[mark] + self._rest[1:]
            return True
        return self._take(1, mark)

    def _step_backslash(self, final: bool) -> bool:
        rest = self._rest
        if rest[1:2] in ('(', '['):
            close = '\\)' if rest[1] == '(' else '\\]'
            if close in rest[:_FORMULA] and (found := _BRACKETED.match(rest)):
                return self._step_formula(found)
            if not final and len(rest) < _FORMULA and _BRACKETED_BEGINS.match(rest):
                return False
        if len(rest) == 1:
            return self._take(1, '') if final else False
        if rest[1] in '[]()' or not (rest[1].isalnum() or rest[1].isspace()):
            return self._take(2, ' ' if rest[1] in '[](),;!:' else rest[1])
        if line := re.match(r'\\n(?=[A-Z\s\\\d*-]|\Z)', rest):
            if len(rest) == 2 and not final:
                return False
            self._take(line.end(), '')
            self._end_line()
            return True
        if not final and _LATEX_BEGINS.match(rest):
            return False
        command = _LATEX.match(rest)
        if command is None:
            return self._take(1, ' ')
        name = command[1]
        if name[0] in 'nt' and not command[2] and name not in latex.SIGNS:  # \n before a word
            self._take(2, ' ')
            if name[0] == 'n':
                self._end_line()
            return True
        return self._take(command.end(), _latex(name, command[2]))

    def _step_pattern(
        self,
        whole: re.Pattern[str],
        begins: re.Pattern[str],
        final: bool,
        says: str | Callable[[str], str],
        otherwise: str | None = None,
    ) -> bool:
        """What matches `whole` is read as `says`; the first character, else, as `otherwise`."""
        if found := whole.match(self._rest):
            return self._take(found.end(), says if isinstance(says, str) else says(found[0]))
        if not final and begins.match(self._rest):
            return False
        return self._take(1, self._rest[0] if otherwise is None else otherwise)

    def _step_run(self, final: bool) -> bool:
        """A run of stars and the like: emphasis, unless it stands between numbers."""
        sign = self._rest[0]
        size = len(self._rest) - len(self._rest.lstrip(sign))
        if size == len(self._rest) and not final:
            return False
        if size >= 3 and sign in '`~':
            return self._step_fence(sign, size, final)
        if sign == '~' and size == 1 and self._raw.isalpha():
            if below := _BELOW.match(self._rest):
                if below.end() < len(self._rest) or final:
                    return self._take(below.end(), below[1])
                return False
            if not final and _BELOW_BEGINS.match(self._rest):
                return False
        after = self._rest[size : size + 1]
        if sign == '*' and size == 1 and not self._raw.strip():
            done = self._step_starred(final)
            if done is not None:
                return done
        if sign == '*' and size == 1 and self._raw.isalpha() and after.isalpha():
            if len(self._rest) == 2 and not final:
                return False
            return self._take(1, '*' if self._is_single(self._rest[2:3]) else '')
        return self._take(size, sign * size if self._is_text(sign, size, after) else '')

    def _step_stage(
        self, whole: re.Pattern[str], begins: re.Pattern[str], final: bool
    ) -> bool | None:
        """What is done and not said is left out; None if it is none."""
        found = whole.match(self._rest)
        if found and (found.end() < len(self._rest) or final):
            return self._take(found.end(), '')
        return False if not final and begins.match(self._rest) else None

    def _step_starred(self, final: bool) -> bool | None:
        """As "*smiles*", before a new sentence or after a comma; elsewhere it is a word."""
        found = stage.STARRED.match(self._rest)
        if self._last not in _BEFORE_STAGE or (
            found is None and not stage.STARRED_BEGINS.match(self._rest)
        ):
            return None
        following = self._rest[found.end() :].lstrip(' \t') if found else ''
        if len(following) < _SEEN and not final:
            return False
        if found and (self._last in _GOES_ON or stage.NEW_SENTENCE.match(following)):
            return self._take(found.end(), '')
        return None

    def _step_fence(self, sign: str, size: int, final: bool) -> bool:
        """A block of code is left out; one of prose loses its fences only."""
        if self._fence[:1] == sign:
            if self._fence[1:]:
                self._end_block()
            self._fence = ''
            return self._take(size, '')
        rest, close = self._rest[size:], sign * 3
        first, line, more = rest[: fences.MOST].partition('\n')
        language, inside = first.strip(), more.lstrip().partition('\n')[0]
        if inline := close in first:
            language, inside = '', first.partition(close)[0]
        complete = inline or (line and ('\n' in more.lstrip() or close in more))
        if not complete and not final and len(rest) < fences.MOST:
            return False
        if not inline and not line:
            language, inside = '', first
        self._break = self._break or ' '
        if fences.is_code(language.partition(' ')[0], inside.partition(close)[0]):
            self._take(size, '')
            self._hide(re.compile(re.escape(close)))
            return True
        self._fence = sign + '\n' * (not inline)
        if line and not inline:
            self._take(size + len(first), '')
            self._line_start = False
            return True
        return self._take(size, '')

    def _is_single(self, second: str) -> bool:
        return not second.isalpha() and len(re.findall(r'[^\W\d_]*\Z', self._kept)[0]) == 1

    def _is_text(self, sign: str, size: int, after: str) -> bool:
        before = self._raw
        if sign == '_':
            return before.isalnum() and after.isalnum()
        if sign == '~':
            return size == 1
        if sign == '`':
            return False
        if before.isspace() and after.isspace():
            return self._last.isalnum() or self._last in ')²³'
        if size == 2:
            return before.isdigit() and after.isdigit()
        if size > 2:
            return False
        left = before.isdigit() or before in (*')²³½',)
        return (left and (after.isalnum() or after in ('(', '√'))) or (
            before.isalpha() and after.isdigit()
        )

    # -- giving out --------------------------------------------------------------------------

    def _take(self, size: int, text: str) -> bool:
        """Takes `size` characters off the rest, which are read as `text`."""
        if size:
            self._raw = self._rest[size - 1]
            self._rest = self._rest[size:]
        self._emit(text)
        return True

    def _emit(self, text: str) -> None:
        text = ' '.join(_visible(text).split(' '))
        words = text.strip()
        if not words:
            if text and not (self._break or self._cell or self._row):
                self._give(' ')
            self._space = self._space or bool(text)
            return
        if self._break or self._cell:
            self._give_break(words[0])
        elif self._space or text[0] == ' ':
            self._give(' ')
        self._space = text[-1] == ' '
        self._give(' '.join(words.split()))
        if self._space and not self._row:
            self._give(' ')

    def _give(self, text: str) -> None:
        """Gives text out, but no space at the start and none after another."""
        if not text.isspace():
            self._last = text[-1]
        elif not self._last or self._kept[-1:].isspace():
            return
        self._out.append(text)
        self._kept = (self._kept + text)[-8:]

    def _give_break(self, following: str = '') -> None:
        sign = (self._break or self._cell).strip()
        space = '\n' if self._parts and self._break else ' '
        self._break = self._cell = ''
        self._space = False
        if sign and self._last and self._last not in _ENDS and following not in (',', '.', ';'):
            last = self._last if self._last not in _CLOSERS else self._kept.rstrip(_CLOSERS)[-1:]
            if last not in _ENDS:
                self._give(sign)
        self._give(space)


def plain(text: str) -> str:
    """A whole text without markup, reasoning and calls of tools."""
    markup = Markup()
    said = markup.push(text)
    before = markup.restarts
    rest = markup.flush()
    return rest if markup.restarts > before else said + rest


def _literals(request: tuple[str, str] | None, hidden: Iterable[str]) -> dict[str, str]:
    """What opens, and what closes it: nothing for marks that stand alone, itself for closing ones.

    Longer ones first.
    """
    found = dict.fromkeys(marks.SINGLES, '')
    for opens, closes, thought in marks.BRACKETS:
        found[opens] = closes
        if thought:
            found[closes] = closes
    for item in hidden:
        opens, _, closes = item.partition('...')
        if opens:
            found[opens] = closes
    if request is not None:
        found[request[0]] = request[1]
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _plain_but(triggers: Iterable[str]) -> re.Pattern[str]:
    others = ''.join(re.escape(c) for c in triggers if c not in '<[◁')
    return re.compile(_PLAIN.pattern[:-2] + others + ']+') if others else _PLAIN


def _may_have_bare(name: str) -> bool:
    """Whether a tag of this name may have attributes without a value: "a<b and c>d" has none."""
    return name in marks.KNOWN and len(name) > 1


def _has_bare(attributes: str) -> bool:
    return bool(_BARE.search(re.sub(rf'=\s*(?:{_VALUE})', '=', attributes)))


def _unescape(entity: str) -> str:
    text = html.unescape(entity)
    return f' {text} ' if text in '<>' else text


def _latex(command: str, braces: str) -> str:
    return latex.read(f'\\{command}{braces}') if braces else latex.SIGNS.get(command, f' {command}')


def _above(written: str) -> str:
    inner = written[1:-1]
    return inner if inner in ('st', 'nd', 'rd', 'th') else f'^{inner}'


def _visible(text: str) -> str:
    """Without control and format characters, pictures and halves of characters."""
    if text.isascii() and text.isprintable():
        return text
    return ''.join(' ' if c.isspace() or c == '▁' else c for c in text if _is_read(c))


def _is_read(c: str) -> bool:
    if c.isspace() or c in _SYMBOLS or c == '▁':
        return True
    if '\ufe00' <= c <= '\ufe0f' or c == '\u20e3':  # parts of emoji
        return False
    category = unicodedata.category(c)
    return (category[0] != 'C' and category not in ('So', 'Sk')) or c in '^`'
