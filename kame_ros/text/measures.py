"""Whether an amount says what kind of thing follows: "a 5 km run" is a five kilometer run."""

from __future__ import annotations

from kame_ros.text.context import TAIL, Context
from kame_ros.text.lists import word_set

_ARTICLES = frozenset(('a', 'an'))
_NO_NOUNS = word_set(
    """
    and or but of in on at to for from with per as is are was were be by than if when while then
    that which who it they we you he she this these will would can could may more less away ago
    later before after above below wide
    """
)
_MEASURED = word_set(
    """
    run race walk hike drive ride sprint dash swim bottle bag bulb note bill coin ticket pole rope
    cable hose screen monitor pack jar tank radius limit battery batteries supply adapter charger
    outlet system model version drive disk card memory motor voucher coupon discount fee fine
    deposit budget deal loan prize can dumbbell plate wait delay break nap phone laptop lens ram
    storage resolution camera pipe wire fence wall board display tv led lcd ssd hdd
    tins cans bottles jars packs bags boxes
    """
)


def describes(context: Context, numbers_at: int) -> bool:
    """Whether the amount just read describes the next word. Raises Wait.

    `numbers_at` is where the word before the number stands: 1 if it is the last one before this.
    """
    following = context.after(1)
    bare = following.rstrip(TAIL).lower()
    if (
        not bare.replace('-', '').isalpha()
        or bare in _NO_NOUNS
        or (following[0].isupper() and bare not in _MEASURED)
    ):
        return False
    before = context.before[-numbers_at].lower() if len(context.before) >= numbers_at else ''
    return before.lstrip('("“') in _ARTICLES or bare in _MEASURED
