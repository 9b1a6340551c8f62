"""A robot that answers at once and thinks while it speaks, as ROS 2 nodes."""

from pkgutil import extend_path

__version__ = '0.1.0'

# The generated messages may lie in another folder than this file (an editable install).
__path__ = extend_path(__path__, __name__)
