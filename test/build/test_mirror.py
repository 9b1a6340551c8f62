"""The folders of tests are those of the package, so that a test is found where its module is."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What has no room of its own: the repository, its benchmarks, whole runs, and what tests stand on.
OTHERS = {'build', 'benchmarks', 'end_to_end', 'fakes', 's2s/moshi/golden'}


def test_each_folder_of_tests_is_a_folder_of_the_package():
    folders = {path.parent.relative_to(ROOT / 'test') for path in ROOT.glob('test/*/**/*.py')}
    wrong = [
        str(folder)
        for folder in sorted(folders)
        if str(folder) not in OTHERS
        and folder.parts[0] not in OTHERS
        and not (ROOT / 'kame_ros' / folder).is_dir()
        and not (ROOT / 'kame_ros' / folder).with_suffix('.py').is_file()
    ]
    assert not wrong, f'no folder of kame_ros has these names: {", ".join(wrong)}'


def test_what_is_of_no_single_module_says_what_it_tests():
    for path in sorted(ROOT.glob('test/**/test_*.py')):
        module = ROOT / 'kame_ros' / path.relative_to(ROOT / 'test').parent / path.name[5:]
        if not module.is_file() and not module.with_suffix('').is_dir():
            about = ast.get_docstring(ast.parse(path.read_text()))
            assert about, f'{path.name}: there is no {module.name}; say in a line what is tested'


def test_each_room_has_tests():
    rooms = {path.parent.name for path in ROOT.glob('kame_ros/*/__init__.py')}
    tested = {path.name for path in ROOT.glob('test/*') if list(path.rglob('test_*.py'))}
    assert rooms - tested == set()
