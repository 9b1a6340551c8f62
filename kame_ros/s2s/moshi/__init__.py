"""KAME's front-end: Moshi with the oracle stream, on unmodified PyPI `moshi`.

Importing this package imports neither torch nor moshi; `build` in `front_end` does.
"""
