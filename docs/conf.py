"""How Sphinx builds these pages: `make docs`, or rosdoc2."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

import generated  # noqa: E402

from kame_ros import __version__  # noqa: E402

project = 'kame_ros'
author = 'the kame_ros maintainers'
copyright = author
version = release = __version__

extensions = ['myst_parser']
myst_enable_extensions = ['attrs_inline', 'colon_fence', 'deflist']
myst_heading_anchors = 3
root_doc = 'index'
exclude_patterns = ['_build']
nitpicky = True

# The theme of docs.ros.org. Its fonts and its search are files of the site: no network is needed.
html_theme = 'sphinx_rtd_theme'
html_theme_options = {'navigation_depth': 3}
html_show_sourcelink = False
html_static_path = ['_static']
html_css_files = ['kame.css']


def setup(app):
    """Fills in what the pages take from the code: see generated.py."""
    app.connect('source-read', generated.fill_in)
    return {'parallel_read_safe': True}
