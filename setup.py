"""Builds kame_ros with pip into a venv of ROS wheels, from the CMake project that colcon builds."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import rosidl_adapter
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()
# The prefix that holds the message generators: an isolated build has another one than sys.prefix.
ROS_PREFIX = Path(rosidl_adapter.__file__).parents[4]
SITE = Path(sysconfig.get_path('purelib')).relative_to(sysconfig.get_path('data'))
VERSION = re.search(r"__version__ = '(.+)'", (ROOT / 'kame_ros/__init__.py').read_text()).group(1)


class BuildWithCMake(build_ext):
    """Lets CMake generate the messages, and hands what it installs to the wheel."""

    def run(self):
        build = Path(self.build_temp).resolve()
        stage = build / 'stage'
        self._cmake(
            *('-S', ROOT, '-B', build, '-G', 'Ninja', '-DBUILD_TESTING=OFF'),
            f'-DCMAKE_INSTALL_PREFIX={sys.prefix}',
            f'-DPython3_EXECUTABLE={sys.executable}',
        )
        self._cmake('--build', build)
        shutil.rmtree(stage, ignore_errors=True)
        self._cmake('--install', build, DESTDIR=str(stage))
        prefix = stage / Path(sys.prefix).relative_to('/')
        self._redirect_programs(prefix / 'lib' / 'kame_ros')
        for path in sorted(prefix.rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                self._place(path, path.relative_to(prefix))
        if self.editable_mode:
            self.run_command('install_data')  # setuptools leaves data out of editable wheels

    def _cmake(self, *args, **env):
        env = {**os.environ, **env}
        for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'):
            env[name] = os.pathsep.join(filter(None, [env.get(name), str(ROS_PREFIX)]))
        subprocess.run(['cmake', *map(str, args)], check=True, env=env)

    @staticmethod
    def _redirect_programs(folder):
        """Makes the programs in lib/ run with the interpreter of the venv they are in."""
        for path in folder.iterdir():
            module = 'kame_ros.cli' if path.name == 'kame' else f'kame_ros.nodes.{path.name}_node'
            path.write_text(
                f'#!/bin/sh\nexec "$(dirname "$0")/../../bin/python" -m {module} "$@"\n'
            )

    def _place(self, path, target):
        """Puts generated Python code into the package, and everything else under the prefix."""
        if not target.is_relative_to(SITE):
            self._add_data(path, target)
            return
        inside = target.relative_to(SITE)
        if '.egg-info' in inside.parts[0] or (ROOT / inside).exists() or path.suffix == '.c':
            return
        if self.editable_mode:
            self._add_data(path, target)
            return
        self.mkpath(str(Path(self.build_lib, inside).parent))
        self.copy_file(str(path), str(Path(self.build_lib, inside)))

    def _add_data(self, path, target):
        self.distribution.data_files.append((str(target.parent), [str(path)]))

    def get_outputs(self):
        return []

    def get_output_mapping(self):
        return {}


def required(*names):
    """The lines of requirements/NAME.txt, where each dependency and its bounds stand once."""
    lines = []
    for name in names:
        for line in (ROOT / f'requirements/{name}.txt').read_text().splitlines():
            if line.startswith('-r '):
                lines += required(line[3:].removesuffix('.txt'))
            elif line and not line.startswith('#'):
                lines.append(line)
    return lines


def only(name, *packages):
    """The lines of requirements/NAME.txt that are of these packages."""
    return [line for line in required(name) if re.split('[<>=]', line)[0] in packages]


EXTRAS = {
    'models': required('app'),
    'embedded': only('app', 'xllamacpp'),
    'audio': required('devices'),
    'page': required('page'),
    'ollama': only('llm', 'ollama', 'httpx'),
    'openai': only('llm', 'openai', 'httpx'),
    'anthropic': only('llm', 'anthropic'),
    'gemini': only('llm', 'google-genai', 'httpx'),
    'moshi': required('torch', 'moshi-deps', 'moshi'),
    'train': required('train'),
    'eval': required('eval'),
    'dev': required('test'),
    'docs': required('docs'),
}

setup(
    name='kame_ros',
    version=VERSION,
    description='Spoken conversation for robots: answers at once, thinks while it speaks',
    license='Apache-2.0',
    package_dir={'': '.'},
    packages=find_packages(include=['kame_ros', 'kame_ros.*']),
    package_data={
        'kame_ros.evaluation': ['*.jsonl'],
        'kame_ros.page': ['files/*'],
        'kame_ros.s2s.small': ['*.json', '*.npz', 'kame_small/*'],
        'kame_ros.training.small': ['*.yaml', '*.txt'],
    },
    python_requires='>=3.10',
    install_requires=required('core'),
    extras_require=EXTRAS,
    ext_modules=[Extension('kame_ros.interfaces', sources=[])],
    cmdclass={'build_ext': BuildWithCMake},
    data_files=[],
    entry_points={'console_scripts': ['kame = kame_ros.cli:main']},
)
