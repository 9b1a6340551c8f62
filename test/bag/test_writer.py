import errno
import io
import subprocess
import sys
import textwrap

import pytest
import yaml
from recorded_bag import PLENTY, Told, into, record
from scripted_conversation import QUESTION, play

from kame_ros.bag.bag import Bag
from kame_ros.bag.definitions import NoDefinition, definition
from kame_ros.bag.metadata import Topic
from kame_ros.bag.part_file import unbuffered
from kame_ros.bag.writer import BagConfig, BagWriter

STRING = Topic('/robot/facts', 'std_msgs/msg/String')


def question(consumer, seconds=12.0):
    play(consumer, QUESTION, seconds, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])


def read(path):
    bag, told = Bag(path), Told()
    bag.tell(bag.namespace(), told)
    return told.log, bag.problems


def string(text):
    data = text.encode() + b'\0'
    return b'\0\1\0\0' + len(data).to_bytes(4, 'little') + data


def test_what_is_written_is_read(tmp_path):
    expected = Told()
    question(expected)
    writer = record(tmp_path, question)
    assert read(writer.folder) == (expected.log, [])
    assert (writer.lost, writer.written) == (0, len(expected.log))


def test_a_bag_that_was_cut_off_is_read_to_its_last_flush(tmp_path):
    writer = record(tmp_path, question, close=False)  # the process is killed
    log, problems = read(writer.folder)
    assert problems == ['bag_0.mcap was cut off (EndOfFile); read as far as it goes']
    expected = Told()
    question(expected)
    assert log == expected.log[: len(log)]
    missing = len(expected.log) - len(log)
    assert 0 < missing <= 2 * 13  # half a second of two streams


@pytest.mark.parametrize('part', [0.3, 0.5, 0.9, 0.999])
def test_a_file_that_ends_anywhere_is_read_as_far_as_it_goes(tmp_path, part):
    writer = record(tmp_path, question)
    (path,) = writer.folder.glob('*.mcap')
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    expected = Told()
    question(expected)
    log, problems = read(path)
    assert log == expected.log[: len(log)]
    assert log
    assert len(problems) == 1


def test_the_oldest_files_go(tmp_path):
    config = BagConfig(file_mb=0.1, total_mb=0.3, free_mb=0.0)
    noise = string('0123456789' * 500)
    writer = BagWriter(tmp_path, config, name='bag')
    import random

    dice = random.Random(1)
    for number in range(2_000):
        noise = string(''.join(dice.choices('abcdefghijklmnop', k=1_000)))
        writer.write(STRING, noise, number, number, number * 0.1)
    writer.close()
    kept = sorted(path.name for path in writer.folder.glob('*.mcap'))
    assert writer.deleted_files > 3
    assert sum(path.stat().st_size for path in writer.folder.glob('*.mcap')) < 0.31e6
    told = yaml.safe_load((writer.folder / 'metadata.yaml').read_text())
    info = told['rosbag2_bagfile_information']
    assert sorted(info['relative_file_paths']) == kept
    assert [each['path'] for each in info['files']] == info['relative_file_paths']
    assert f'bag_{writer.deleted_files}.mcap' in kept


def test_metadata_counts_what_is_there(tmp_path):
    writer = record(tmp_path, question)
    info = yaml.safe_load((writer.folder / 'metadata.yaml').read_text())
    info = info['rosbag2_bagfile_information']
    counts = {
        each['topic_metadata']['name']: each['message_count']
        for each in info['topics_with_message_count']
    }
    assert counts['/robot/audio/mic'] == 150
    assert counts['/robot/turn'] == 12
    assert info['message_count'] == sum(counts.values()) == writer.written


class Full(io.FileIO):
    """A disk that is full from so many bytes on, until there is room again."""

    room = 20_000

    def write(self, data):
        if Full.room <= 0:
            raise OSError(errno.ENOSPC, 'No space left on device')
        taken = super().write(bytes(data[: Full.room]))
        Full.room -= taken
        return taken


def test_a_full_disk_is_told_and_counted_and_ends_nothing(tmp_path):
    Full.room = 20_000
    writer = BagWriter(
        tmp_path, BagConfig(free_mb=0.0), opener=lambda path: Full(path, 'xb'), name='bag'
    )
    write = into(writer)
    import random

    dice = random.Random(1)
    for number in range(300):
        if number == 200:
            assert 'No space left on device' in writer.trouble
            Full.room = 10**9
        text = ''.join(dice.choices('abcdefghijklmnop', k=1_000))
        write('/robot/facts', 'std_msgs/msg/String', string(text), number * 0.1)
    writer.close()
    assert writer.trouble == ''
    assert writer.lost > 50
    assert writer.written + writer.lost == 300
    bag = Bag(writer.folder)
    assert len(list(bag.messages())) == writer.written
    assert len([p for p in bag.problems if 'cut off' in p]) == 1


def test_nothing_is_written_while_there_is_too_little_room(tmp_path):
    room = [10**6]
    writer = BagWriter(tmp_path, BagConfig(free_mb=5.0), free=lambda _: room[0], name='bag')
    writer.write(STRING, string('a'), 0, 0, 0.0)
    assert 'less than 5 MB' in writer.trouble
    room[0] = 10**8
    writer.write(STRING, string('b'), 0, 0, 1.0)  # it is tried again after 5 s
    writer.write(STRING, string('c'), 0, 0, 6.0)
    writer.close()
    assert (writer.lost, writer.written, writer.trouble) == (2, 1, '')


def test_a_limit_of_the_system_is_a_full_disk(tmp_path):
    """With real files: the system refuses to make one larger."""
    script = f"""
        import resource, sys
        from pathlib import Path
        sys.path[:0] = {sys.path!r}
        from kame_ros.bag.metadata import Topic
        from kame_ros.bag.writer import BagConfig, BagWriter
        import os
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        writer = BagWriter(Path({str(tmp_path)!r}), BagConfig(free_mb=0.0), name='bag')
        topic = Topic('/robot/facts', 'std_msgs/msg/String')
        for number in range(100):
            writer.write(topic, os.urandom(1_000), number, number, number * 0.1)
        writer.close()
        print(writer.written, writer.lost, writer.trouble)
    """
    out = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(script)], capture_output=True, text=True, check=True
    ).stdout.split(' ', 2)
    assert int(out[0]) + int(out[1]) == 100
    assert int(out[1]) > 0
    assert len(list(Bag(tmp_path / 'bag').messages())) == int(out[0])


def test_what_is_older_than_a_flush_survives_kill_9(tmp_path):
    """A real process with the system's clock: it tells which message it has given."""
    script = f"""
        import sys, time
        from pathlib import Path
        sys.path[:0] = {sys.path!r}
        from kame_ros.bag.metadata import Topic
        from kame_ros.bag.writer import BagConfig, BagWriter
        writer = BagWriter(Path({str(tmp_path)!r}), BagConfig(free_mb=0.0), name='bag')
        topic = Topic('/robot/facts', 'std_msgs/msg/String')
        for number in range(10_000):
            now = time.monotonic()
            writer.write(topic, number.to_bytes(8, 'little') * 100, number, number, now)
            print(number, now, flush=True)
            time.sleep(0.01)
    """
    process = subprocess.Popen(
        [sys.executable, '-c', textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    given = []
    while len(given) < 120:
        number, t = process.stdout.readline().split()
        given.append((int(number), float(t)))
    process.kill()
    process.wait()
    process.stdout.close()
    bag = Bag(tmp_path / 'bag')
    there = [int.from_bytes(message.data[:8], 'little') for message in bag.messages()]
    assert there == list(range(len(there)))
    older = [number for number, t in given if t < given[-1][1] - 0.5 - 0.1]
    assert there[-1] >= older[-1]
    assert (tmp_path / 'bag' / 'metadata.yaml').is_file()


def test_two_bags_of_a_second_have_two_folders(tmp_path):
    names = [BagWriter(tmp_path, PLENTY, name='bag').folder.name for _ in range(2)]
    assert names == ['bag', 'bag_1']
    assert (tmp_path / 'bag').stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='file'):
        BagWriter(tmp_path / 'file' / 'more', PLENTY)
    with pytest.raises(OSError, match='file'):
        BagWriter(tmp_path / 'file', PLENTY)


def test_definitions_hold_all_that_a_message_is_made_of():
    text = definition('kame_ros/msg/Transcript')
    assert text.count('MSG: ') == 3
    for part in ('std_msgs/Header', 'builtin_interfaces/Time', 'kame_ros/Word'):
        assert f'MSG: {part}\n' in text


@pytest.mark.parametrize('kind', ['no_such_msgs/msg/A', 'A', '../etc/passwd', ''])
def test_a_message_that_is_not_known_has_no_definition(kind):
    with pytest.raises(NoDefinition):
        definition(kind)


def test_unbuffered_files_are_new(tmp_path):
    (tmp_path / 'a').write_text('mine')
    with pytest.raises(FileExistsError):
        unbuffered(tmp_path / 'a')
