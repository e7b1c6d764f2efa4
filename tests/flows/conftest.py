"""A served gateway for tests of whole paths; one a module, because starting it takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.db.embedded import Embedded
from tests.conftest import TestDatabase
from tests.served import Served, scratch_database, served_gateway


@pytest.fixture(scope="module")
def served_database(postgres: Embedded) -> Iterator[TestDatabase]:
    """The database behind `served`."""
    with scratch_database(postgres) as database:
        yield database


@pytest.fixture(scope="module")
def served(served_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """gunicorn with TLS over a scratch database, shared by the tests of a module."""
    folder: Path = tmp_path_factory.mktemp("served")
    with served_gateway(served_database, folder) as running:
        yield running
