"""The system `ttsf`: one text and one portrait give speech and video from shared features.

The identity of the face, free of motion, chooses the voice; what the speech is made from moves
the lips; head and expression are drawn for it; a generator makes the pictures by flow.

Reference:
    Jang et al., Faces that Speak: jointly synthesising talking face and speech from text,
    CVPR 2024.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from facevox.core.checkpoint import SPEECH_WEIGHTS, TTSF_WEIGHTS, weights_digest
from facevox.core.portrait.portrait import TURN_WARNING, Portrait
from facevox.core.speech import Speech
from facevox.models.bridge.face_to_voice import FaceToVoice
from facevox.models.bridge.identity_voice import perceived_of
from facevox.models.bridge.neural_voices import ENGINE as NEURAL
from facevox.models.bridge.neural_voices import NeuralVoices
from facevox.models.bridge.voice_distribution import VoiceDistribution
from facevox.models.bridge.voice_space import VoiceSpace
from facevox.models.face.ttsf.close_up import CloseUp, load_close_ups
from facevox.models.face.ttsf.flow_renderer import FlowRenderer, read_source
from facevox.models.face.ttsf.scene_motion import SceneMotion
from facevox.models.face.ttsf.talking_head import TalkingHead
from facevox.models.speech.acoustic_features import AcousticReader
from facevox.models.speech.engine import SpeechEngine
from facevox.models.speech.matcha_engine import MatchaEngine
from facevox.models.speech.registry import load_engine
from facevox.systems.speaking_portrait import Job, Scene, SpeakingPortrait, Voices
from facevox.systems.system import SystemInfo

SPEECH = "matcha"

BRIDGE_SHARE = 2 / 3
"""Weight of the bridge's opinion of the sex against that of the identity."""

TRAINED_YAW = 20.0
"""Turn of the head up to which faces were seen in training [deg]."""


class Ttsf(SpeakingPortrait):
    """Face -> identity and motion; identity -> voice; text -> speech -> lips and motion -> frames.

    Args:
        speech: Speaks the voices drawn from faces; voices of other engines bring their own.
        head: The networks of the talking face.
        reader: Reads from speech what moves the lips.
        space: Space of the neural voices.
        bridge: Second opinion on how masculine or feminine the voice should be.
        folder: Where the weights of the head lie; None if they were made otherwise.
        close_ups: By region: make mouth or eyes pixel by pixel; without, the generator does.
    """

    name = "ttsf"
    about_drawings = (
        "ttsf was trained on photographs, so the mouth may not match the drawing's style."
    )

    def __init__(
        self,
        speech: SpeechEngine,
        head: TalkingHead,
        reader: AcousticReader,
        space: VoiceSpace,
        bridge: FaceToVoice,
        folder: Path | None = None,
        close_ups: Mapping[str, CloseUp] | None = None,
    ) -> None:
        super().__init__(speech)
        self.head, self.reader, self.space = head.eval().requires_grad_(False), reader, space
        self.bridge, self._folder, self.close_ups = bridge, folder, close_ups or {}

    @classmethod
    def load(cls, speech: str | None = None, weights: str | Path = TTSF_WEIGHTS) -> "Ttsf":
        """Return the system with the weights that come in the package, or others like them.

        Args:
            speech: Name of the speech engine; None takes the neural voice.
            weights: Folder of `talking_head.safetensors` and its card; close-ups
                (`close_up_REGION.safetensors`) beside them are taken if they are there.

        Raises:
            InputError: If there is no such engine.
            MissingPiece: If the speech engine is not installed.
            CheckpointError: If weights are absent, damaged or do not fit.
        """
        folder = Path(weights)
        head = TalkingHead.load(folder / "talking_head.safetensors")
        engine = load_engine(speech or SPEECH)
        # the acoustic model that speaks is the one that drives the lips
        reader = (
            engine.acoustic_reader() if isinstance(engine, MatchaEngine) else AcousticReader.load()
        )
        near = load_close_ups(folder)
        return cls(engine, head, reader, VoiceSpace.load(), FaceToVoice.load(), folder, near)

    def renderer(self, portrait: Portrait, size: int | None = None) -> FlowRenderer:
        """Return what makes the pictures of a portrait; see `FlowRenderer`."""
        return FlowRenderer(self.head, portrait, size=size, close_ups=self.close_ups)

    def info(self) -> SystemInfo:
        """Return what this system is."""
        speech = getattr(self.speech, "num_parameters", 0)
        near = sum(close_up.num_parameters for close_up in self.close_ups.values())
        return SystemInfo(
            name=self.name,
            summary="Makes the pictures by flow from one photo; Faces that Speak, CVPR 2024.",
            voice="drawn from the identity in the face, free of motion, seeded",
            parameters=self.head.num_parameters + near + speech,
            licence="Apache-2.0",
            trained_against=("face-landmarker",),  # it labelled the mouths of the training clips
            weights=weights_digest(self._folder, SPEECH_WEIGHTS) if self._folder else "",
        )

    def _fitting_voices(self, portrait: Portrait) -> Voices:
        source = read_source(self.head, portrait.pixels, portrait.landmarks)
        seen = perceived_of(self.head.seen(self.head.identity(source.parts))[0].tolist())
        # an identity learned from a hundred people is surer of a face's build than of its sex
        other = self.bridge.perceive(portrait).female
        share = BRIDGE_SHARE * other + (1 - BRIDGE_SHARE) * seen.female
        seen = replace(seen, female=share)
        if self.speech.name == NEURAL:
            return NeuralVoices(perceived=seen, space=self.space)
        return VoiceDistribution(perceived=seen)

    def _portrait_warnings(self, portrait: Portrait) -> Sequence[str]:
        yaw, warnings = portrait.head_pose[0], super()._portrait_warnings(portrait)
        if (
            not TRAINED_YAW < abs(yaw) <= TURN_WARNING
        ):  # beyond that the photo's own warning says it
            return warnings
        return (
            *warnings,
            f"The head is turned by {abs(yaw):.0f} degrees; ttsf was trained on faces within "
            f"{TRAINED_YAW:.0f} and may bend this one, a frontal photo looks better.",
        )

    def _actor(self, job: Job) -> "_GeneratedPortrait":
        renderer = self.renderer(job.portrait, job.size)
        return _GeneratedPortrait(job, self.head, self.reader, renderer)


class _GeneratedPortrait:
    """A portrait whose pictures a generator makes."""

    def __init__(
        self, job: Job, head: TalkingHead, reader: AcousticReader, renderer: FlowRenderer
    ) -> None:
        self._reader, self._renderer, self._mapper = reader, renderer, head.mapper
        alpha, place = self._renderer.source.parts.alpha, self._renderer.place
        self._motion = SceneMotion(head, alpha, place, job.seed, job.controls, job.clock.fps)

    def act(self, speech: Speech, first_frame: int, num_frames: int, offset: float) -> Scene:
        """Return the next sentence's scene."""
        heard = self._reader(speech)
        features = self._mapper.join(heard.embedding, heard.text, heard.energy)
        scene = self._motion.advance(speech, features, first_frame, num_frames, offset)
        return Scene(motion=scene.motion, frames=self._renderer.render(scene))
