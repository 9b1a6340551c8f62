"""Texts of all kinds, said by a running robot or refused where the caller sees it."""

import pytest

from kame_ros.text.markup import plain

pytestmark = [pytest.mark.graph, pytest.mark.models]

SAID = [
    "<speak>Hello <break time='1s'/> world.</speak>",
    'See [the docs](https://x.org/a) at −5 °C.',
    '9' * 38 + '.',
]
REFUSED = [
    ('你好，世界', 'spoken by this voice'),
    ('😀', 'spoken by this voice'),
    ('\u200b', 'nothing to say'),
    ('<tool_call>{"name": "go"}</tool_call>', 'nothing to say'),
]


@pytest.mark.long
def test_a_text_is_said_or_refused_with_a_reason(kame, light):
    kame.start('up', 'up', '--config', light)
    try:
        assert kame.until_printed('up', 'nodes are up'), kame.printed('up')
        for text, why in REFUSED:
            done = kame.run('say', text)
            assert done.returncode != 0, text
            assert why in done.stdout
        for text in SAID:
            done = kame.run('say', text)
            assert done.returncode == 0, done.stdout
            words = plain(text).replace(' ,', '').replace(',', '').split()
            assert ''.join(words) in ''.join(done.stdout.replace(',', '').split())
        assert 'restart' not in kame.printed('up')
        assert 'has ended' not in kame.printed('up')
    finally:
        kame.end()
