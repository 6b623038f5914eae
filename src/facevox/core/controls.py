"""What a user may turn up or down in how the face moves, each on its own."""

from dataclasses import dataclass

from facevox.core.ranges import Ranges, check_ranges

_RANGES: Ranges = {
    "mouth": (0.0, 2.0),
    "head": (0.0, 3.0),
    "blink": (0.0, 4.0),
    "gaze": (0.0, 3.0),
    "brows": (0.0, 3.0),
    "breath": (0.0, 3.0),
    "expression": (-1.0, 1.0),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """Strengths of each kind of motion; 1 is natural, 0 switches it off.

    None of them touches another: `head=0` still blinks, `blink=0` still nods.

    Attributes:
        mouth: Opening of the mouth while speaking, 0 to 2.
        head: Amplitude of head turns and nods, 0 to 3.
        blink: Blinks relative to the natural rate, 0 to 4.
        gaze: Small eye movements, 0 to 3.
        brows: Brow raises on stressed words, 0 to 3.
        breath: Slow rise and fall of shoulders and head, 0 to 3.
        expression: From -1 (serious) over 0 (as in the photo) to 1 (smiling).

    Raises:
        ConfigError: If a value is outside its range or not a number.
    """

    mouth: float = 1.0
    head: float = 1.0
    blink: float = 1.0
    gaze: float = 1.0
    brows: float = 1.0
    breath: float = 1.0
    expression: float = 0.0

    def __post_init__(self) -> None:
        """Check every range."""
        check_ranges({name: getattr(self, name) for name in _RANGES}, _RANGES)

    @classmethod
    def still(cls) -> "Controls":
        """Return controls under which only the mouth moves."""
        return cls(head=0.0, blink=0.0, gaze=0.0, brows=0.0, breath=0.0)
