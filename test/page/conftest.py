"""A server of the page for each test."""

import pytest

pytest.importorskip('websockets', reason='pip install websockets')


@pytest.fixture
def page():
    from page_desk import running_page

    with running_page() as running:
        yield running
