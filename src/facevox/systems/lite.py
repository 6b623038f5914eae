"""The system `lite`: runs on a laptop right after installation.

The photo's own pixels are warped; nothing is downloaded; a sentence is made
while the one before it plays.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from facevox.core.checkpoint import SPEECH_WEIGHTS, WEIGHTS, weights_digest
from facevox.core.chunk import Frame
from facevox.core.motion import Motion
from facevox.core.portrait.portrait import Portrait
from facevox.core.prefetch import ordered_map
from facevox.core.speech import Speech
from facevox.models.bridge.face_to_voice import FaceToVoice
from facevox.models.face.face_motion import FaceMotion
from facevox.models.face.mouth_network import multiply_adds_per_hop
from facevox.models.face.phone_features import HOP_RATE
from facevox.models.face.warp.renderer import WarpRenderer
from facevox.models.speech.engine import SpeechEngine
from facevox.systems.speaking_portrait import Job, Scene, SpeakingPortrait, Voices, first_installed
from facevox.systems.system import SystemInfo

RENDER_THREADS = 2
SPEECH = ("flite", "matcha")
"""Engines that speak when none is named: the first that is installed."""


class Lite(SpeakingPortrait):
    """Text -> speech -> motion -> frames, with a voice drawn from the face.

    Args:
        speech: Speaks the voices drawn from faces; voices of other engines bring their own.
        bridge: Suggests voices for a face.
        motion: Moves mouth, head and eyes to speech.
        warnings: What every video that is made should say.
    """

    name = "lite"
    about_drawings = (
        "lite was made for photographs, so the teeth it shows do not match the drawing's style."
    )

    def __init__(
        self,
        speech: SpeechEngine,
        bridge: FaceToVoice,
        motion: FaceMotion,
        warnings: Sequence[str] = (),
    ) -> None:
        super().__init__(speech, warnings)
        self.bridge, self.motion = bridge, motion

    @classmethod
    def load(cls, speech: str | None = None) -> "Lite":
        """Return the system with the weights that come in the package.

        Args:
            speech: Name of the speech engine, "flite" or "matcha"; None takes flite where it
                is installed, else matcha with a warning.

        Raises:
            InputError: If there is no such engine.
            MissingPiece: If the speech engine is not installed.
            CheckpointError: If weights are absent or damaged.
        """
        warnings: list[str] = []
        engine = first_installed(SPEECH if speech is None else (speech,), warnings)
        return cls(engine, FaceToVoice.load(), FaceMotion.load(), warnings)

    def info(self) -> SystemInfo:
        """Return what this system is."""
        neural = self.speech.name == "matcha"
        speech = getattr(self.speech, "num_parameters", 0)
        return SystemInfo(
            name=self.name,
            summary="Warps the photo's own pixels; runs on a laptop without any download.",
            voice="drawn from the face by perceived sex and age, seeded",
            parameters=self.bridge.num_parameters + self.motion.num_parameters + speech,
            licence="Apache-2.0",
            trained_against=("face-landmarker",),  # it labelled the mouths of the training clips
            weights=weights_digest(WEIGHTS, SPEECH_WEIGHTS) if neural else weights_digest(),
            multiply_adds=multiply_adds_per_hop() * HOP_RATE,
        )

    def _fitting_voices(self, portrait: Portrait) -> Voices:
        return self.bridge.distribution(portrait, engine=self.speech.name)

    def _actor(self, job: Job) -> "_WarpedPortrait":
        return _WarpedPortrait(job, self.motion)


class _WarpedPortrait:
    """A portrait that moves by warping."""

    def __init__(self, job: Job, motion: FaceMotion) -> None:
        self._job = job
        self._stream = motion.start(job.seed, job.controls, job.clock.fps)

    @cached_property
    def _renderer(self) -> WarpRenderer:
        """Fitted when the first picture is asked for: sound alone needs none."""
        return WarpRenderer(self._job.portrait, size=self._job.size)

    def act(self, speech: Speech, first_frame: int, num_frames: int, offset: float) -> Scene:
        """Return the next sentence's scene."""
        motion = self._stream.advance(speech, first_frame, num_frames, offset)
        return Scene(motion=motion, frames=self._frames(motion))

    def _frames(self, motion: Motion) -> Iterator[Frame]:
        """Yield a picture for each row of motion, rendered by a few threads, in order."""
        renderer = self._renderer

        def render(row: Motion) -> Frame:
            return next(renderer.frames(row))

        yield from ordered_map(render, motion.rows(), workers=RENDER_THREADS)
