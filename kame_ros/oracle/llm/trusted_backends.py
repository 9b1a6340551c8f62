"""Which servers and model files a back-end may name: settled when the process starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.settings import OracleSettings
from kame_ros.runtime import weights
from kame_ros.trust.files import TrustedFiles
from kame_ros.trust.hosts import TrustedHosts


@dataclass(frozen=True)
class TrustedBackends:
    """Those that the start names, and all others on trusted servers and in trusted folders."""

    hosts: TrustedHosts
    files: TrustedFiles

    @classmethod
    def at_start(
        cls, texts: Iterable[str], settings: OracleSettings, files: TrustedFiles
    ) -> TrustedBackends:
        """With the back-ends in `texts`, and the addresses in the settings of the start."""
        backends = list(_readable(texts, settings))
        urls = [backend.base_url for backend in backends]
        for more in settings.prices.values():
            urls.append(str(more.get('base_url', '')) if isinstance(more, Mapping) else '')
        models = TrustedFiles.at_start(b.model for b in backends if b.about.in_process)
        return cls(TrustedHosts.at_start(urls), replace(files, given=files.given | models.given))

    def check(self, backend: Backend) -> None:
        """Raises NotTrusted for one that nothing at the start has named."""
        self.hosts.check(backend.base_url)
        if backend.about.in_process and backend.model not in weights.KNOWN:
            self.files.model(backend.model)


def _readable(texts: Iterable[str], settings: OracleSettings) -> Iterator[Backend]:
    for text in texts:
        with suppress(ValueError):  # it is told when the node is configured
            yield settings.priced(parse_backend(text))
