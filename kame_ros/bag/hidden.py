"""No key of this machine gets into a bag, whoever publishes it."""

from __future__ import annotations

from collections.abc import Mapping

from kame_ros.trust.redact import secrets


class Hider:
    """Puts stars for the secrets of an environment, as many as they are long: CDR stays CDR."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._secrets = [value.encode() for value in secrets(environ).values()]
        self.hidden = 0  # messages that held one

    def without_secrets(self, data: bytes) -> bytes:
        """The message without them."""
        found = [secret for secret in self._secrets if secret in data]
        self.hidden += bool(found)
        for secret in found:
            data = data.replace(secret, b'*' * len(secret))
        return data
