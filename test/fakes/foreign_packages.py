"""Packages of messages that this machine has not, written and built for a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEADER = 'std_msgs/Header header\n'
DRIVERS = {  # audio_common_msgs of ros-drivers, as in ROS 1
    'AudioData': 'uint8[] data\n',
    'AudioDataStamped': f'{HEADER}AudioData audio\n',
}
MGONZS13 = {  # the other audio_common_msgs
    'AudioData': (
        'float32[] float32_data\nint32[] int32_data\nint16[] int16_data\n'
        'int8[] int8_data\nuint8[] uint8_data\n'
    ),
    'AudioInfo': 'int32 format\nint32 channels\nint32 rate\nint32 chunk\n',
    'Audio': 'AudioData audio_data\nAudioInfo info\n',
    'AudioStamped': f'{HEADER}Audio audio\n',
}
HRI = {
    'LiveSpeech': (
        f'{HEADER}string incremental\nstring final\nfloat64 confidence\nstring locale\n'
    ),
    'IdsList': f'{HEADER}string[] ids\n',
}
FOXGLOVE = {
    'RawAudio': (
        'builtin_interfaces/Time timestamp\nuint8[] data\nstring format\nuint32 sample_rate\n'
        'uint32 number_of_channels\n'
    )
}

_CMAKE = """cmake_minimum_required(VERSION 3.21)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(std_msgs REQUIRED)
find_package(builtin_interfaces REQUIRED)
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(target IN LISTS imported)
  if(target MATCHES "__rosidl_generator_py$")
    set_property(TARGET ${{target}} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "")
  endif()
endforeach()
file(GLOB interfaces RELATIVE ${{CMAKE_CURRENT_SOURCE_DIR}} msg/*.msg)
rosidl_generate_interfaces(${{PROJECT_NAME}} ${{interfaces}}
  DEPENDENCIES std_msgs builtin_interfaces)
ament_package()
"""
_XML = """<package format="3"><name>{name}</name><version>1.0.0</version>
<description>x</description>
<maintainer email="a@b.invalid">a</maintainer><license>Apache-2.0</license>
<buildtool_depend>ament_cmake</buildtool_depend>
<buildtool_depend>rosidl_default_generators</buildtool_depend>
<depend>std_msgs</depend><depend>builtin_interfaces</depend>
<member_of_group>rosidl_interface_packages</member_of_group>
<export><build_type>ament_cmake</build_type></export></package>
"""


def build(folder: Path, packages: dict[str, dict[str, str]]) -> dict[str, str]:
    """Builds packages of messages below a folder; the environment in which Python finds them."""
    prefix, install = Path(sys.prefix), folder / 'install'
    env = dict(os.environ)
    env['PATH'] = f'{prefix}/bin:{env["PATH"]}'
    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH'):
        env[name] = str(prefix)
    for name, messages in packages.items():
        source = folder / 'src' / name
        (source / 'msg').mkdir(parents=True)
        for message, text in messages.items():
            (source / 'msg' / f'{message}.msg').write_text(text)
        (source / 'CMakeLists.txt').write_text(_CMAKE.format(name=name))
        (source / 'package.xml').write_text(_XML.format(name=name))
        out = folder / 'build' / name
        for command in (
            ['cmake', '-S', source, '-B', out, '-G', 'Ninja', f'-DCMAKE_INSTALL_PREFIX={install}',
             f'-DPython3_EXECUTABLE={sys.executable}'],
            ['cmake', '--build', out],
            ['cmake', '--install', out],
        ):  # fmt: skip
            done = subprocess.run(
                list(map(str, command)), env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    version = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    site = install / 'lib' / version / 'site-packages'
    here = Path(__file__).parent
    return {
        **env,
        'AMENT_PREFIX_PATH': f'{install}:{prefix}',
        'LD_LIBRARY_PATH': f'{install}/lib:{env.get("LD_LIBRARY_PATH", "")}',
        'PYTHONPATH': os.pathsep.join(map(str, (site, here, here.parent, here.parents[1]))),
    }
