import pytest

from facevox.core.portrait.reader import read_portrait


@pytest.fixture(scope="session")
def portrait(astronaut):
    return read_portrait(astronaut)
