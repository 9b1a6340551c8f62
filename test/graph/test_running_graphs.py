import json
import os
import tempfile

import pytest

from kame_ros.graph import running_graphs
from kame_ros.graph.running_graphs import Note, noted


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, 'gettempdir', lambda: str(tmp_path))
    return tmp_path


def test_a_graph_is_noted_while_it_runs():
    note = Note(os.getpid(), 'tandem', 'robot', 7, 'LOCALHOST')
    with noted(note):
        assert running_graphs.running_graphs() == [note]
    assert running_graphs.running_graphs() == []


def test_notes_of_the_dead_and_rubbish_are_removed(own_folder):
    folder = running_graphs._folder()
    dead = Note(2**22 + 1, 'tandem', 'robot', 7, 'LOCALHOST')  # above the largest process id
    (folder / 'dead.json').write_text(json.dumps(dead.__dict__))
    (folder / 'rubbish.json').write_text('{')
    assert running_graphs.running_graphs() == []
    assert list(folder.iterdir()) == []
