import pytest
from made_talking import talk, write_clip


@pytest.fixture(scope="session")
def talking(lite, astronaut):
    """The NASA portrait speaking a sentence."""
    pytest.importorskip("pocketsphinx")
    return talk(lite, astronaut)


@pytest.fixture(scope="session")
def clip_file(talking, tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "one.mp4", talking)
