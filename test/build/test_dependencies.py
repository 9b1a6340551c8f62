"""What the code imports is declared, and every file that declares dependencies says the same.

The dependencies and their bounds stand once, in requirements/*.txt; setup.py reads them, and
`make lock` makes the locks of them. package.xml, pyproject.toml and `kame doctor` are held to them
here.
"""

import ast
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from kame_ros import doctor
from kame_ros.oracle.llm import kinds

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / 'requirements'
RUN_TIME = ('app', 'devices', 'llm', 'torch', 'moshi', 'moshi-deps', 'train', 'eval')
# Modules that are named otherwise than their distributions.
DISTRIBUTIONS = {
    'yaml': 'pyyaml',
    'hibari': 'hibari-tts',
    'google': 'google-genai',
    'mcap_ros2': 'mcap-ros2-support',
}
# What rosdep calls the distributions that it gets from Ubuntu 24.04.
ROSDEP = {
    'httpx': 'python3-httpx',
    'hypothesis': 'python3-hypothesis',
    'numpy': 'python3-numpy',
    'pyaudio': 'python3-pyaudio',
    'pytest': 'python3-pytest',
    'pytest-timeout': 'python3-pytest-timeout',
    'pytest-xdist': 'python3-pytest-xdist',
    'pyyaml': 'python3-yaml',
    'rich': 'python3-rich',
    'soundfile': 'python3-soundfile',
}
# Packages of ROS that are no Python modules of ours, and libraries that are loaded by name.
NOT_IMPORTED = {
    'diagnostic_aggregator',  # config/settings/diagnostics_aggregator.yaml
    'libespeak-ng1',
    'ros2launch',
    'rosidl_default_runtime',
    'service_msgs',  # of the generated actions
    'speex',
}
# Only the GPU kernels import it, and torch brings the one that fits where there is a GPU.
OF_TORCH = {'triton'}


def requirements(name: str) -> dict[str, str]:
    """Distribution and line of requirements/NAME.txt, with the files that it names."""
    found: dict[str, str] = {}
    for line in (REQUIREMENTS / f'{name}.txt').read_text().splitlines():
        if line.startswith('-r '):
            found |= requirements(line[3:].removesuffix('.txt'))
        elif line and not line.startswith('#'):
            found[distribution(line)] = line
    return found


def distribution(requirement: str) -> str:
    return re.split(r'[<>=\[;]', requirement)[0].strip().lower().replace('_', '-')


def imported(*folders: str) -> set[str]:
    """The foreign modules that are imported, by `import_module` too."""
    found = set()
    for folder in folders:
        for path in (ROOT / folder).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    found.add(node.module or '')
                elif isinstance(node, ast.Call) and called(node) in ('import_module', 'load_sdk'):
                    found |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    roots = {name.split('.')[0] for name in found}
    return (
        roots - set(sys.stdlib_module_names) - {'kame_ros', '_typeshed'}
    )  # the latter is for type checkers only


def called(node: ast.Call) -> str:
    return getattr(node.func, 'attr', getattr(node.func, 'id', ''))


def package_xml(*kinds: str) -> set[str]:
    root = ET.parse(ROOT / 'package.xml').getroot()
    return {element.text or '' for kind in kinds for element in root.findall(kind)}


def of_ros(module: str) -> bool:
    return module in ('rclpy', 'launch', 'launch_ros', 'rcl_interfaces') or module.endswith(
        ('_msgs', '_srvs', '_interfaces')
    )


RUN = package_xml('depend', 'exec_depend')
DECLARED = {name for file in RUN_TIME for name in requirements(file)}


def test_every_package_that_is_imported_is_in_requirements():
    modules = {m for m in imported('kame_ros', 'launch') if not of_ros(m)} - OF_TORCH
    distributions = {DISTRIBUTIONS.get(m, m.replace('_', '-')) for m in modules}
    assert distributions - DECLARED == set()
    # einops and accelerate's kin are imported by what we import, not by us.
    assert DECLARED - distributions <= {'einops', 'ctranslate2'}


def test_package_xml_has_every_package_of_ros_that_is_imported_and_no_other():
    modules = {m for m in imported('kame_ros', 'launch') if of_ros(m)}
    python = set(ROSDEP.values())
    assert RUN - NOT_IMPORTED - python == modules


def test_package_xml_has_what_rosdep_gets_and_names_the_rest():
    keys = {ROSDEP[name] for name in DECLARED if name in ROSDEP}
    assert RUN & set(ROSDEP.values()) == keys
    text = (ROOT / 'package.xml').read_text()
    comment = text[text.index('By pip, in a venv') :]
    comment = comment[: comment.index('-->')]
    named = {
        name.strip()
        for line in comment.splitlines()
        if (match := re.match(r' {9}[\w. -]+?: +(.*)$', line))
        for name in match.group(1).split(',')
    }
    assert named == DECLARED - set(ROSDEP)


def test_package_xml_has_what_tests_import():
    tests = requirements('test')
    keys = {key for name, key in ROSDEP.items() if name in tests and name != 'httpx'}
    assert package_xml('test_depend') == keys | {'ament_cmake_pytest'}


def test_no_address_of_others_is_given():
    root = ET.parse(ROOT / 'package.xml').getroot()
    for maintainer in root.findall('maintainer'):
        assert 'example' not in (maintainer.get('email') or '')
    for licence in root.findall('license'):
        assert (ROOT / (licence.get('file') or 'none')).is_file()


def test_setup_reads_its_dependencies():
    """No bound stands in setup.py itself."""
    text = (ROOT / 'setup.py').read_text()
    assert not re.search(r"'[\w-]+[<>=]=", text)
    names = re.findall(r"(?:required|only)\('([\w-]+)'", text)
    assert all((REQUIREMENTS / f'{name}.txt').is_file() for name in names)


def test_doctor_looks_for_nothing_else():
    core = {package for package, _ in doctor.NEEDED}
    assert core == set(requirements('core'))
    assert {package for package, *_ in doctor.ENGINES} <= DECLARED
    assert {kinds.find(name).package for name in kinds.DOOR.ours} <= DECLARED


def test_the_build_asks_for_what_the_set_up_installs():
    text = (ROOT / 'pyproject.toml').read_text()
    block = text[text.index('requires = [') : text.index(']\n', text.index('requires = ['))]
    build = set(re.findall(r'"([^"]+)"', block))
    wheels = set((REQUIREMENTS / 'ros-jazzy.txt').read_text().splitlines())
    # It needs a middleware to look for, which the set-up has from rclpy's extra.
    assert build - wheels == {'ros-jazzy-rmw-fastrtps-cpp'}


@pytest.mark.parametrize('lock', sorted(REQUIREMENTS.glob('lock/*.txt')), ids=lambda p: p.stem)
def test_every_lock_has_every_requirement_within_its_bounds(lock):
    pinned = dict(
        line.split('==') for line in lock.read_text().splitlines() if line and line[0] != '#'
    )
    pinned = {distribution(name): version for name, version in pinned.items()}
    files = {path.stem for path in REQUIREMENTS.glob('*.txt') if not path.stem.startswith('apt-')}
    for file in sorted(files):
        for name, line in requirements(file).items():
            assert name in pinned, f'{file}.txt: {line}'
            for sign, bound in re.findall(r'(==|>=|<)([\d.]+)', line):
                ours, theirs = numbers(pinned[name]), numbers(bound)
                assert {'==': ours == theirs, '>=': ours >= theirs, '<': ours < theirs}[sign], line


def numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r'\d+', version)]
