"""The names of signs, as they are said."""

from __future__ import annotations

import re

from kame_ros.text.context import VULGARS

LETTERS = {
    'α': 'alpha', 'β': 'beta', 'γ': 'gamma', 'δ': 'delta', 'ε': 'epsilon', 'ζ': 'zeta', 'η': 'eta',
    'θ': 'theta', 'ι': 'iota', 'κ': 'kappa', 'λ': 'lambda', 'μ': 'mu', 'ν': 'nu', 'ξ': 'xi',
    'π': 'pi', 'ρ': 'rho', 'σ': 'sigma', 'τ': 'tau', 'φ': 'phi', 'χ': 'chi', 'ψ': 'psi',
    'ω': 'omega', 'ϕ': 'phi',
}  # fmt: skip
LATIN = {
    'ł': 'l', 'Ł': 'L', 'ø': 'o', 'Ø': 'O', 'ß': 'ss', 'æ': 'ae', 'Æ': 'Ae', 'œ': 'oe', 'Œ': 'Oe',
    'đ': 'd', 'Đ': 'D', 'ð': 'th', 'þ': 'th', 'Þ': 'Th', 'ı': 'i', 'ẞ': 'SS',
}  # fmt: skip
SIGNS = {
    '+': 'plus', '−': 'minus', '±': 'plus or minus', '∓': 'minus or plus', '×': 'times',
    '·': 'times', '⋅': 'times', '∙': 'times', '÷': 'divided by', '=': 'equals',
    '≠': 'is not equal to', '≈': 'is about', '≅': 'is about', '≡': 'is identical to',
    '<': 'less than', '>': 'greater than', '≤': 'less than or equal to',
    '≥': 'greater than or equal to', '<=': 'less than or equal to',
    '>=': 'greater than or equal to', '!=': 'is not equal to', '==': 'equals', '->': 'to',
    '=>': 'to', '→': 'to', '⇒': 'to', '↔': 'to', '←': 'from', '↑': 'up', '↓': 'down',
    '√': 'the square root of', '∛': 'the cube root of', '∞': 'infinity', '%': 'percent',
    '‰': 'per mille', '&': 'and', '@': 'at', '°': 'degrees', '§': 'section', '©': 'copyright',
    '№': 'number', '∑': 'the sum of', '∏': 'the product of', '∫': 'the integral of', '∈': 'in',
    '∪': 'union', '∩': 'intersection', '∂': 'partial', '∀': 'for all', '^': 'to the power of',
    '**': 'to the power of', '*': 'times', '$': 'dollars', '€': 'euros', '£': 'pounds', '¥': 'yen',
    '¢': 'cents', '℃': 'degrees Celsius', '℉': 'degrees Fahrenheit', '¬': 'not', '∧': 'and',
    '∨': 'or', 'µ': 'micro',
}  # fmt: skip
BEFORE_NUMBER = {
    '-': 'minus', '−': 'minus', '–': 'minus', '+': 'plus', '~': 'about', '≈': 'about',
    '<': 'less than', '>': 'more than', '≤': 'at most', '≥': 'at least', '<=': 'at most',
    '>=': 'at least', '±': 'plus or minus', '#': 'number',
}  # fmt: skip
POWERS = {'2': 'squared', '3': 'cubed'}
SUPERS = str.maketrans('⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ', '0123456789+-n')
SUPER = re.compile(r'[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+')
MATH = frozenset('+=×÷±∓^*√∛≤≥≠≈<>−·⋅°∞∑∫∈→⇒↔←&@%§©№≅≡¬∧∨µ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ$€£¥¢' + VULGARS)
