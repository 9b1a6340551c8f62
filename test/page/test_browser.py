"""The page in a real browser, with a conversation that a table tells: no robot, no network."""

import pytest
from chromium import MISSING, PROGRAM, browser
from page_desk import TOKEN, running_page
from realtime_robot import LOUD
from scripted_conversation import QUESTION, T0, event, final, partial, play

from kame_ros.wire.frame import Frame
from kame_ros.wire.health import Health

pytestmark = pytest.mark.skipif(not PROGRAM, reason=MISSING)
CONNECTED = "document.getElementById('link').textContent === 'connected'"


class Feeding:
    """Tells a server what a consumer is told."""

    def __init__(self, server):
        self._server = server

    def __getattr__(self, name):
        return lambda *told: self._server.tell(name, *told)


@pytest.fixture(scope='module')
def shown():
    """A server whose time is told, and a browser that shows its page."""
    t = [T0]
    with running_page(clock=lambda: t[0]) as page, browser() as window:
        window.size(1280, 900)
        window.open(page.url(f'/#{TOKEN}', 'http'))
        assert window.until(CONNECTED), window.told
        yield page, window, t
        assert window.told == []
        assert page.errors == []


def text(window, selector):
    return window.run(f"document.querySelector('{selector}')?.textContent ?? ''")


def test_what_passes_is_shown(shown):
    page, window, t = shown
    t[0] = T0 + 14.0
    page.server.tell('on_health', 's2s', Health('active', 1, 'frames_late 3', {'frames_late': '3'}))
    told = (*QUESTION, event(5.0, 'BARGE_IN'))
    play(Feeding(page.server), told, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])
    assert window.until("!!document.querySelector('#turns .mark')")
    assert text(window, '#turns .heard') == 'What is the capital of France?'
    assert text(window, '#turns .said') == 'The capital is Paris. +0.80 s interrupted'
    assert text(window, '#latency-words') == 'Last 0.80 s, median 0.80 s of one turn.'
    assert 'frames_late 3' in text(window, '#node-s2s')
    assert text(window, '#spoken') == 'Robot: The capital is Paris.'
    inked = (
        "(() => { const c = document.getElementById('timeline'); const d = c.getContext('2d')"
        '.getImageData(0, 0, c.width, c.height).data; let n = 0;'
        'for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })()'
    )
    assert window.until(f'{inked} > 3000')


def test_what_may_still_change_is_set_apart(shown):
    page, window, t = shown
    begun = event(15.0, 'USER_SPEECH_START', utterance=5, source='stt')
    heard = partial(15.5, 'And what is', settled=4, utterance=5, start=15.0)
    t[0] = T0 + 16.0
    for _, method, what in (begun, heard):
        page.server.tell(method, *what)
    assert window.until("!!document.querySelector('#turns .open')")
    assert text(window, '#turns .open') == 'what is'
    page.server.tell(*told_by(final(15.8, 'And what is it?', utterance=5, start=15.0)))
    assert window.until("!document.querySelector('#turns .open')")


def told_by(row):
    _, method, what = row
    return (method, *what)


def test_orders_are_given_and_answered(shown):
    page, window, _ = shown
    window.run("document.getElementById('mute').click()")
    assert window.until("document.getElementById('done').textContent === 'done: mute'")
    window.run("document.getElementById('say-text').value = 'Hello.'")
    window.run("document.querySelector('#say button').click()")
    assert window.until("document.getElementById('done').textContent === 'done: say'")
    assert window.run("document.getElementById('say-text').value") == ''
    last = page.desk.orders[-1]
    assert (last['do'], last['text']) == ('say', 'Hello.')
    page.server.show(muted=True)
    assert window.until("document.getElementById('mute').getAttribute('aria-pressed') === 'true'")
    page.server.show(muted=False)


def test_everything_that_is_used_has_a_name(shown):
    _, window, _ = shown
    used = ('button', 'textbox', 'combobox', 'radio', 'meter', 'image', 'region', 'link')
    tree = window.tree()
    assert [role for role, name in tree if role in used and not name.strip()] == []
    assert len([role for role, _ in tree if role in used]) > 20


@pytest.mark.parametrize('width', [320, 390, 768, 1280])
def test_nothing_sticks_out_of_the_window(shown, width):
    _, window, _ = shown
    window.size(width, 800)
    wide = 'document.documentElement.scrollWidth <= window.innerWidth'
    assert window.until(wide, 5.0), window.run('document.documentElement.scrollWidth')


def test_a_page_that_is_open_for_long_does_not_grow(shown):
    page, window, t = shown
    window.size(1280, 900)
    for number in range(100, 400):
        at = 100 + 0.15 * number
        t[0] = T0 + at
        page.server.tell('on_played', Frame(number, T0 + at, LOUD, source_seq=number))
        for row in (
            event(at, 'USER_SPEECH_START', utterance=number, source='stt'),
            event(at, 'GENERATION_BEGUN', number, number, 'x'),
            final(at, f'Question {number}', utterance=number, start=at),
        ):
            page.server.tell(*told_by(row))
    assert window.until("document.querySelector('#turns').textContent.includes('Question 399')")
    assert window.run("document.querySelectorAll('#turns li').length") == 100


def test_a_lost_connection_comes_back_by_itself(shown):
    page, window, _ = shown
    page.server._loop.call_soon_threadsafe(
        lambda: [viewer.transport.abort() for viewer in list(page.server._pages._boxes)]
    )
    assert window.until(f'!({CONNECTED})', 5.0)
    assert window.until(CONNECTED, 10.0)
    assert window.until("document.querySelectorAll('#turns li').length >= 20")


def test_without_the_token_the_page_says_what_to_do(shown):
    page, window, _ = shown
    window.open('about:blank')
    window.open(page.url('/', 'http'))
    assert 'open the link' in text(window, '#notice')
    window.told.clear()  # the browser itself notes the refused socket
    window.open('about:blank')
    window.open(page.url(f'/#{TOKEN}', 'http'))
    assert window.until(CONNECTED)
    window.told.clear()
