r"""Formulas in LaTeX as they are written on one line: "\frac{a}{b}" is "a over b"."""

from __future__ import annotations

import re

SIGNS = {
    'times': '×', 'cdot': '·', 'div': '÷', 'pm': '±', 'mp': '∓', 'leq': '≤', 'le': '≤', 'geq': '≥',
    'ge': '≥', 'neq': '≠', 'ne': '≠', 'approx': '≈', 'sim': '~', 'infty': '∞', 'to': '→',
    'rightarrow': '→', 'Rightarrow': '→', 'implies': '→', 'iff': '↔', 'leftrightarrow': '↔',
    'circ': '°', 'degree': '°', 'pi': 'π', 'alpha': 'α', 'beta': 'β', 'gamma': 'γ', 'delta': 'δ',
    'Delta': 'Δ', 'theta': 'θ', 'lambda': 'λ', 'mu': 'μ', 'nu': 'ν', 'sigma': 'σ', 'Sigma': 'Σ',
    'omega': 'ω', 'Omega': 'Ω', 'phi': 'φ', 'varphi': 'φ', 'psi': 'ψ', 'epsilon': 'ε',
    'varepsilon': 'ε', 'rho': 'ρ', 'tau': 'τ', 'eta': 'η', 'in': '∈', 'equiv': '≡', 'lt': '<',
    'gt': '>', 'land': '∧', 'lor': '∨', 'neg': '¬', 'lnot': '¬', 'ast': '×',
    'quad': ' ', 'qquad': ' ', 'left': '', 'right': '', 'displaystyle': '', 'big': '', 'Big': '',
    'bigl': '', 'bigr': '', 'limits': '', 'nonumber': '', 'hline': '',
    'partial': ' partial ', 'nabla': ' nabla ', 'prime': ' prime ',
    'propto': ' is proportional to ',
    'cup': ' union ', 'cap': ' intersection ', 'subset': ' is a subset of ',
    'forall': ' for all ', 'exists': ' there exists ', 'therefore': ' therefore ',
    'ldots': ' and so on ', 'cdots': ' and so on ', 'dots': ' and so on ',
    'sin': ' sine ', 'cos': ' cosine ', 'tan': ' tangent ', 'ln': ' natural log ', 'log': ' log ',
    'exp': ' exp ', 'max': ' max ', 'min': ' min ', 'mod': ' mod ', 'bmod': ' mod ',
    'lim': ' limit ',
}  # fmt: skip
_LARGE = {'sum': 'the sum', 'int': 'the integral', 'prod': 'the product', 'lim': 'the limit'}
_BEFORE = {'vec': 'vector', 'boxed': '', 'text': '', 'mathrm': '', 'mathbf': '', 'textbf': '',
           'operatorname': '', 'textit': '', 'mathit': '',
           'underline': '', 'mathbb': ''}  # fmt: skip
_BEHIND = {'hat': 'hat', 'bar': 'bar', 'overline': 'bar', 'tilde': 'tilde', 'dot': 'dot'}
_DEPTH = 8  # of braces in braces; what is deeper is left out

_TOKEN = re.compile(r'\\[A-Za-z]+|\\.|[{}^_\[\]&]|\d+(?:[.,]\d+)*|\s+|.', re.DOTALL)


def read(formula: str) -> str:
    """A formula without its marks, in signs and words that are read as any other text."""
    said = _Formula(formula).sequence(0)
    said = re.sub(r'\b([fghFGP])\(([a-zA-Z0-9])\)', r'\1 of \2', said)
    said = re.sub(r'\bd([xyzt])\b', r'd \1', said)
    said = re.sub(r'(?<=[^\s(^−])\s*([=≈≠≤≥<>→×±÷·])\s*', r' \1 ', said)
    said = re.sub(r'(?<=[\w)²])\s*([-−+])\s*(?=[\w(√\\])(?<!\^[-−+])', _spaced, said)
    said = re.sub(r'(?<![\w)^])-(?=[\w(√])', '−', said)
    return re.sub(r'\(\s+', '(', re.sub(r'\s+([,.;)])', r'\1', ' '.join(said.split())))


def _spaced(found: re.Match[str]) -> str:
    return f' {found[1].replace("-", "−")} '


class _Formula:
    """Reads a formula from left to right."""

    def __init__(self, formula: str) -> None:
        self._tokens = _TOKEN.findall(formula)
        self._at = 0

    def sequence(self, depth: int, until: str = '') -> str:
        said = ''
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token == until:
                break
            said += self._one(token, depth)
        return said

    def _one(self, token: str, depth: int) -> str:
        if token == '{':
            return self._group(depth)
        if token == '^':
            return _power(self._argument(depth))
        if token == '_':
            below = self._argument(depth)
            return f' {below} ' if len(below) > 1 and below.isalpha() else below
        if token in ('}', '&', '$'):
            return ' '
        if token == "'":
            return ' prime '
        if token == '*':
            return '×'
        if len(token) > 1 and token[0] == '\\':
            return self._command(token[1:], depth)
        return token

    def _group(self, depth: int) -> str:
        said = self.sequence(depth + 1, '}') if depth < 200 else ''
        return said if depth < _DEPTH else ''

    def _argument(self, depth: int) -> str:
        while self._at < len(self._tokens) and self._tokens[self._at].isspace():
            self._at += 1
        if self._at >= len(self._tokens):
            return ''
        token = self._tokens[self._at]
        self._at += 1
        if token in '^_':
            return ''
        if token == '-' and self._at < len(self._tokens):
            token += self._tokens[self._at]
            self._at += 1
            return token
        return self._one(token, depth).strip()

    def _optional(self, depth: int) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at] == '[':
            self._at += 1
            return self.sequence(depth + 1, ']').strip() if depth < 200 else ''
        return ''

    def _command(self, name: str, depth: int) -> str:
        if name in ('frac', 'dfrac', 'tfrac', 'cfrac'):
            return over(self._argument(depth), self._argument(depth))
        if name == 'binom':
            return f' {self._argument(depth)} choose {self._argument(depth)} '
        if name == 'sqrt':
            return root(self._optional(depth), self._argument(depth))
        if name in ('begin', 'end'):
            self._argument(depth)
            return ' '
        if name in _LARGE:
            return self._large(name, depth)
        if name in _BEFORE:
            return f' {_BEFORE[name]} {self._argument(depth)} '
        if name in _BEHIND:
            return f' {self._argument(depth)} {_BEHIND[name]} '
        if name in SIGNS:
            return SIGNS[name]
        if name == '\\':
            return ', '
        if not name[0].isalpha():
            return name if name in '%$#&_{}' else ' '
        return f' {name} '

    def _large(self, name: str, depth: int) -> str:
        """A sum, an integral or a limit with its bounds."""
        low = high = ''
        for _ in range(2):
            sign = self._tokens[self._at] if self._at < len(self._tokens) else ''
            if sign in ('_', '^') and sign:
                self._at += 1
                bound = self._argument(depth)
                low, high = (bound, high) if sign == '_' else (low, bound)
        said = f' {_LARGE[name]}'
        low = low.replace('→', ' goes to ') if name == 'lim' else low
        if low:
            said += f' as {low}' if name == 'lim' else f' from {low}' if high else f' over {low}'
        return f'{said}{f" to {high}" if high else ""} of '


def over(above: str, below: str) -> str:
    """A fraction of two terms."""
    if above.isdigit() and below.isdigit():
        return f' {above}/{below} '
    return f' {above} over {below} '


def root(degree: str, of: str) -> str:
    """A root: "√16", or in words where the sign would not tell how far it goes."""
    if degree in ('', '2'):
        return f'√{of}' if re.fullmatch(r'\w+', of) else f' the square root of {of} '
    if degree == '3':
        return f' the cube root of {of} '
    if degree.isdigit():
        return f' the {degree}th root of {of} '
    return f' root {degree} of {of} '


def _power(exponent: str) -> str:
    if exponent == '°':
        return '° '
    if exponent in ('prime', '′'):
        return ' prime '
    if re.fullmatch(r'[-−+]?\d+|[a-z]', exponent):
        return f'^{exponent}'
    return f' to the power of {exponent} ' if exponent else ''
