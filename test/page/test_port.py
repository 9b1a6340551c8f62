"""A port that is taken: the next is, and it is said who has the first."""

import socket

import pytest

from kame_ros.page.port import NoPort, bound, owner


def test_the_port_that_is_wanted():
    first, taken = bound('127.0.0.1', 0)
    with first:
        assert taken == ''
        number = first.getsockname()[1]
        second, taken = bound('127.0.0.1', number)
        with second:
            assert number < second.getsockname()[1] < number + 20
        assert taken.startswith(f'port {number} is taken by ')


def test_no_port_at_all():
    first, _ = bound('127.0.0.1', 0)
    with first, pytest.raises(NoPort, match='is taken by'):
        bound('127.0.0.1', first.getsockname()[1], tries=1)


def test_an_address_of_another_machine():
    with pytest.raises(OSError, match=r'no page can be served on 192\.0\.2\.1'):
        bound('192.0.2.1', 0)


def test_a_name_that_is_none():
    with pytest.raises(OSError, match='no page can be served on no such host'):
        bound('no such host', 0)


def test_nobody_is_known_to_have_a_free_port(tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        assert owner(free.getsockname()[1]) == 'another program'
    assert owner(80, tmp_path) == 'another program'


def test_who_has_a_port_is_read_from_the_system(tmp_path):
    """As Linux tells it: the socket in a table, and the process that holds it."""
    (tmp_path / 'net').mkdir()
    (tmp_path / 'net/tcp').write_text(
        'sl local_address rem_address st queues tr tm uid timeout inode\n'
        '0: 0100007F:1FA4 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n'
        '1: 0100007F:1FA4 0100007F:9999 01 0:0 0:0 0 0 0 4712 1\n'
    )
    folder = tmp_path / '321'
    (folder / 'fd').mkdir(parents=True)
    (folder / 'fd/7').symlink_to('socket:[4711]')
    (folder / 'cmdline').write_bytes(b'python3\0-m\0http.server\08100\0')
    assert owner(0x1FA4, tmp_path) == 'process 321 (python3 -m http.server)'
    assert owner(0x1FA5, tmp_path) == 'another program'
