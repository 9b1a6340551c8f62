"""Units, currencies and fractions, as they are written and as they are said."""

from __future__ import annotations

import re

from kame_ros.text.lists import word_set

# As written: one, several. Those in SURE mean a unit wherever they stand, others after a number.
UNITS: dict[str, tuple[str, str]] = {
    written: (one, many or f'{one}s')
    for line in """
    km kilometer|m meter|cm centimeter|mm millimeter|µm micrometer|nm nanometer|mi mile
    ft foot feet|yd yard|dm decimeter
    kg kilogram|g gram|mg milligram|µg microgram|mcg microgram|t ton|lb pound|lbs pound|oz ounce
    L liter|l liter|ml milliliter|mL milliliter|cl centiliter|dl deciliter|hl hectoliter|gal gallon
    tsp teaspoon|tbsp tablespoon|Tbsp tablespoon
    yr year|yrs year|wk week|wks week
    h hour|hr hour|hrs hour|min minute|mins minute|s second|sec second|secs second|ms millisecond
    µs microsecond|ns nanosecond
    Hz hertz hertz|kHz kilohertz kilohertz|MHz megahertz megahertz|GHz gigahertz gigahertz
    V volt|kV kilovolt|mV millivolt|A amp|mA milliamp|Ah amp-hour|mAh milliamp-hour
    W watt|kW kilowatt|MW megawatt|GW gigawatt|mW milliwatt|kWh kilowatt-hour|MWh megawatt-hour
    Wh watt-hour|J joule|kJ kilojoule|MJ megajoule|cal calorie|kcal kilocalorie|N newton
    kN kilonewton|Nm newton-meter|Pa pascal|hPa hectopascal|kPa kilopascal|bar bar|psi P.S.I. P.S.I.
    mmHg millimeters-of-mercury millimeters-of-mercury
    hp horsepower horsepower|nF nanofarad|µF microfarad|pF picofarad|mH millihenry
    Ω ohm|kΩ kilohm|MΩ megohm|lm lumen|lx lux lux|dB decibel|rpm R.P.M. R.P.M.|fps frame-per-second
    B byte|kB kilobyte|KB kilobyte|MB megabyte|GB gigabyte|TB terabyte|PB petabyte|KiB kibibyte
    MiB mebibyte|GiB gibibyte|kbps kilobit-per-second|Mbps megabit-per-second
    Gbps gigabit-per-second|Mbit megabit|Gbit gigabit|Mb megabit|Gb gigabit
    MP megapixel|mbar millibar|atm atmosphere
    mph mile-per-hour|kph kilometer-per-hour|kmh kilometer-per-hour|ha hectare|ac acre
    rad radian|deg degree|px pixel|ppm part-per-million|mol mole|K kelvin kelvin
    °C degree-Celsius|°F degree-Fahrenheit|℃ degree-Celsius|℉ degree-Fahrenheit|° degree
    ºC degree-Celsius|ºF degree-Fahrenheit|C degree-Celsius|F degree-Fahrenheit
    % percent percent|‰ per-mille per-mille|pct percent percent
    """.replace('\n', '|').split('|')
    if (entry := line.split())
    for written, one, many in [[*entry, ''][:3]]
}
for _written, (_one, _many) in UNITS.items():  # "degree-Celsius" has its plural inside
    if '-' in _one:
        _head, _, _rest = _one.partition('-')
        _plural = _one if _many == _one else f'{_head}s-{_rest}'
        if _rest in ('hour', 'meter'):
            _plural = f'{_one}s'
        UNITS[_written] = (_one.replace('-', ' '), _plural.replace('-', ' '))
UNITS['ft'] = ('foot', 'feet')
UNITS['N·m'] = UNITS['Nm']

SURE = word_set(
    """
    km cm mm µm nm kg mg µg kHz MHz GHz kW MW GW kWh MWh mAh kJ kcal hPa kPa kΩ kB KB MB GB TB
    KiB MiB GiB kbps Mbps Gbps mph kph °C °F ℃ ℉ ºC ºF ml mL dB tbsp Tbsp mmHg
    """
)
# Glued to a number these are something else: 5G, 4K, 90s, seat 12A, 20F.
NOT_GLUED = frozenset(('A', 'C', 'F', 'K', 'B', 's', 't', 'N', 'J', 'ac', 'deg', 'l'))
_POWERS = {'2': 'square', '3': 'cubic', '²': 'square', '³': 'cubic'}
_UNIT = '|'.join(re.escape(unit) for unit in sorted(UNITS, key=lambda u: -len(u)))
UNIT = (
    rf'(?:{_UNIT})(?:\^?[23²³])?(?:[/·](?:{_UNIT}|day|week|month|year|person)(?:\^?[23²³])?){{0,2}}'
)
_UNIT_PARTS = re.compile(rf'([/·]?)({_UNIT}|day|week|month|year|person)(?:\^?([23²³]))?')
IS_UNIT = re.compile(UNIT)

CURRENCIES: dict[str, tuple[str, str, str]] = {
    '$': ('dollar', 'dollars', 'cent'),
    'US$': ('dollar', 'dollars', 'cent'),
    'USD': ('dollar', 'dollars', 'cent'),
    'A$': ('Australian dollar', 'Australian dollars', 'cent'),
    'AUD': ('Australian dollar', 'Australian dollars', 'cent'),
    'C$': ('Canadian dollar', 'Canadian dollars', 'cent'),
    'CAD': ('Canadian dollar', 'Canadian dollars', 'cent'),
    '€': ('euro', 'euros', 'cent'),
    'EUR': ('euro', 'euros', 'cent'),
    '£': ('pound', 'pounds', 'pence'),
    'GBP': ('pound', 'pounds', 'pence'),
    '¥': ('yen', 'yen', ''),
    'JPY': ('yen', 'yen', ''),
    'CHF': ('Swiss franc', 'Swiss francs', 'rappen'),
    '₹': ('rupee', 'rupees', 'paise'),
    'INR': ('rupee', 'rupees', 'paise'),
    '₩': ('won', 'won', ''),
    '₽': ('ruble', 'rubles', 'kopeck'),
    '₺': ('lira', 'lira', 'kurush'),
    '₴': ('hryvnia', 'hryvnias', 'kopiyka'),
    'R$': ('real', 'reais', 'centavo'),
    'HK$': ('Hong Kong dollar', 'Hong Kong dollars', 'cent'),
    'NZ$': ('New Zealand dollar', 'New Zealand dollars', 'cent'),
    'S$': ('Singapore dollar', 'Singapore dollars', 'cent'),
    'CNY': ('yuan', 'yuan', ''),
    'PLN': ('zloty', 'zlotys', ''),
    'SEK': ('Swedish krona', 'Swedish kronor', ''),
    'NOK': ('Norwegian krone', 'Norwegian kroner', ''),
    'DKK': ('Danish krone', 'Danish kroner', ''),
    '₿': ('bitcoin', 'bitcoins', ''),
    '¢': ('cent', 'cents', ''),
}
CURRENCY = '|'.join(re.escape(sign) for sign in sorted(CURRENCIES, key=lambda s: -len(s)))
SCALES = {
    'k': 'thousand', 'K': 'thousand', 'm': 'million', 'M': 'million', 'mn': 'million',
    'b': 'billion', 'B': 'billion', 'bn': 'billion', 'Mio': 'million',
    'Mrd': 'billion', 'tn': 'trillion', 'T': 'trillion',
}  # fmt: skip
SCALE_WORDS = frozenset(('hundred', 'thousand', 'million', 'billion', 'trillion', *SCALES))

VULGAR = {
    '½': (1, 2), '⅓': (1, 3), '⅔': (2, 3), '¼': (1, 4), '¾': (3, 4), '⅕': (1, 5), '⅖': (2, 5),
    '⅗': (3, 5), '⅘': (4, 5), '⅙': (1, 6), '⅚': (5, 6), '⅐': (1, 7), '⅛': (1, 8), '⅜': (3, 8),
    '⅝': (5, 8), '⅞': (7, 8), '⅑': (1, 9), '⅒': (1, 10),
}  # fmt: skip
_PARTS = {
    2: 'half', 3: 'third', 4: 'quarter', 5: 'fifth', 6: 'sixth', 7: 'seventh', 8: 'eighth',
    9: 'ninth', 10: 'tenth', 12: 'twelfth', 16: 'sixteenth', 32: 'thirty-second',
    100: 'hundredth', 1000: 'thousandth',
}  # fmt: skip


def unit(written: str, one: bool) -> str:
    """A unit as it is said, of one or of several: "m/s²" is "meters per second squared"."""
    said = ''
    for number, (sign, name, power) in enumerate(_UNIT_PARTS.findall(written)):
        single, many = UNITS.get(name, (name, name))
        word = many if number == 0 and not one else single
        power = _POWERS.get(power, '')
        if sign == '/':
            said += f' per {word}' + (' squared' if power == 'square' and name == 's' else '')
            said = said.replace(word, f'{power} {word}') if power and name != 's' else said
        else:
            said += ' ' * bool(said) + (f'{power} {word}' if power else word)
    return said


def fraction(above: int, below: int, after_whole: bool = False) -> str:
    """A fraction in words; with the "and" that follows a whole number, if it does."""
    part = _PARTS.get(below)
    if part is None or above >= below:
        return f'{"and " * after_whole}{above} over {below}'
    if below == 2 and above != 1:
        part = 'halve'
    if above == 1:
        return (
            f'and a {part}' if after_whole and below == 2 else f'{"and " * after_whole}one {part}'
        )
    return f'{"and " * after_whole}{above} {part}s'


def money(sign: str, amount: str, of_one: bool = False) -> str:
    """An amount like "1,200.50" of a currency; whole cents are said as such.

    `of_one`: it describes a thing, as in "a 50 euro note".
    """
    one, many, cent = CURRENCIES[sign]
    many = one if of_one else many
    whole, _, rest = amount.partition('.')
    if not cent or len(rest) not in (0, 2) or (not whole and not rest):
        return f'{amount} {one if amount == "1" else many}'
    cents = int(rest or 0)
    whole_words = f'{whole} {one if whole == "1" else many}'
    if not cents:
        return whole_words
    cent_words = f'{cents} {cent if cents == 1 or cent in ("pence", "paise") else cent + "s"}'
    return cent_words if not whole.strip('0') else f'{whole_words} and {cent_words}'
