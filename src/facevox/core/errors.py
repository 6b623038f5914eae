"""The errors facevox raises; each class says who can mend it.

Every message is one sentence or two: what is wrong, what was expected, what
came, and what to do.  The command line prints it and exits with 2.
"""


class FacevoxError(Exception):
    """Anything that facevox reports in plain words instead of a traceback."""


class InputError(FacevoxError):
    """The photo, text, voice or option that the user gave cannot be used."""


class NoFaceFound(InputError):
    """The photo shows no face that the detector is sure of."""


class MediaError(FacevoxError):
    """A picture, sound or video file cannot be read or written."""


class MissingPiece(FacevoxError):
    """Something that must be installed on this machine is not there."""


class ConfigError(FacevoxError):
    """A configuration names an unknown field or an impossible value."""


class CheckpointError(FacevoxError):
    """Weights are absent, damaged, or do not fit the network."""


class DataError(FacevoxError):
    """A training corpus does not have the layout that was promised."""


class TrainingError(FacevoxError):
    """A training run cannot go on."""
