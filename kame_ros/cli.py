"""The command `kame`."""


def main() -> int:
    return 0
