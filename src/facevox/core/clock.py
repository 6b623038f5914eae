"""One clock for sound, mel frames and video frames, in exact arithmetic.

Every conversion between samples, hops and pictures in facevox goes through
`Clock`, so that no stage rounds in its own way and ten minutes do not drift.
"""

from dataclasses import dataclass
from fractions import Fraction

from facevox.core.errors import ConfigError, InputError

MAX_FPS = 120


def round_half_up(value: Fraction) -> int:
    """Return the nearest integer; halves go up (Python's own round goes to even)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Rates of sound and picture, stated once.

    Attributes:
        sample_rate: Samples per second of the waveform [Hz].
        fps: Video frames per second; a `Fraction`, so that 30000/1001 is exact.
        hop_length: Samples between two mel frames; equal to 10 ms by default.

    Raises:
        ConfigError: If a rate is not positive, or fps is above `MAX_FPS`.
    """

    sample_rate: int = 16_000
    fps: Fraction = Fraction(25)
    hop_length: int = 160

    def __post_init__(self) -> None:
        """Check the rates and make `fps` a fraction."""
        object.__setattr__(self, "fps", Fraction(self.fps).limit_denominator(100_000))
        if self.sample_rate < 1 or self.hop_length < 1:
            raise ConfigError(
                f"sample_rate and hop_length must be positive, got {self.sample_rate} "
                f"and {self.hop_length}."
            )
        if not 1 <= self.fps <= MAX_FPS:
            raise ConfigError(f"fps must be between 1 and {MAX_FPS}, got {float(self.fps):g}.")

    @property
    def frame_rate(self) -> Fraction:
        """Mel frames per second."""
        return Fraction(self.sample_rate, self.hop_length)

    def num_frames(self, num_samples: int) -> int:
        """Return the video frames of a clip: round(samples x fps / sample_rate).

        A clip that has any sound has at least one frame.
        """
        if num_samples <= 0:
            return 0
        return max(1, round_half_up(num_samples * self.fps / self.sample_rate))

    def num_mel_frames(self, num_samples: int) -> int:
        """Return the mel frames of a clip: ceil(samples / hop_length)."""
        return -(-num_samples // self.hop_length)

    def frame_time(self, frame: int) -> float:
        """Return the start of a video frame [s]."""
        return float(frame / self.fps)

    def frame_at(self, seconds: float) -> int:
        """Return the video frame nearest to a time [s]."""
        return round_half_up(Fraction(seconds) * self.fps)

    def seconds(self, num_samples: int) -> float:
        """Return the length of a waveform [s]."""
        return num_samples / self.sample_rate


def parse_fps(fps: int | float | Fraction | str) -> Fraction:
    """Return an exact frame rate from a number or a text such as `30000/1001`.

    Raises:
        InputError: If it is not a number.
    """
    try:
        return Fraction(fps)
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        raise InputError(f"fps must be a number such as 25 or 30000/1001, got {fps!r}.") from None
