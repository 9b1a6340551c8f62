"""The page as part of a graph: what `--page` and the launch argument `page` ask for."""

from __future__ import annotations

from typing import Any

from kame_ros.graph.names import BadConfig

NODE = 'page'
SHOW, TALK = 'show', 'talk'
# A browser takes the echo out itself; a recording has none.
EAR = {
    'source': 'topic',
    'topic': 'audio/in',
    'topic_may_pause': True,
    'echo_cancellation': 'off',
}
MOUTH = {'sink': 'null'}
_OFF = ('', 'false', 'no', 'off', '0')
_SHOWS = ('true', 'yes', 'on', '1', SHOW)


def page_mode(text: str) -> str:
    """'', 'show' or 'talk'; raises BadConfig for another word."""
    word = text.strip().lower()
    if word in _OFF:
        return ''
    if word in _SHOWS:
        return SHOW
    if word == TALK:
        return TALK
    raise BadConfig(f'page is true (it shows the conversation), talk or false, not {text!r}')


def page_parameters(mode: str, host: str = '') -> dict[str, dict[str, Any]]:
    """The parameters, by node, of a graph with a page; nothing without one."""
    if not mode:
        return {}
    page = {'talk': mode == TALK, **({'host': host} if host else {})}
    if mode == TALK:
        return {NODE: page, 'audio_capture': dict(EAR), 'audio_playback': dict(MOUTH)}
    return {NODE: page}


def page_link(address: str, token: str) -> str:
    """The link that opens the page: the token is behind the #, which no server is told."""
    return f'{address}#{token}'
