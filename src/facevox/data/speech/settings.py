"""What decides how a corpus is prepared."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SAMPLE_RATE = 16_000
HOP = 160
"""Samples of a mel frame, 10 ms."""


class PrepareSettings(BaseModel):
    """Settings of `facevox prepare`; two runs with the same ones write the same bytes.

    Attributes:
        shortest: Least speech of an utterance [s].
        longest: Longest utterance [s].
        edge: Silence before the first and after the last phone [s].
        least_snr: Least level of the speech above that of the pauses [dB].
        least_bandwidth: Least bandwidth [Hz]; telephone speech has 3400.
        most_clipped: Largest share of samples on a flat top.
        most_shortest_phones: Largest share of phones as short as the aligner can make them.
        longest_phone: Longest phone [s].
        phone_rate: Least and most phones per second, pauses left out.
        least_fit: Least likelihood of the text given the sound; see `alignment.py`.
        least_local_fit: The same of any 0.6 s.
        need_text: Whether recordings without usable text are dropped; else they are kept as
            untranscribed sound.
        transcribe: Least confidence at which recognised words become a text; None leaves
            recordings without text as they are.
        speaker_encoder: Checkpoint that gives each sample a speaker embedding; None gives none.
        face_frames: Pictures of the face that are kept with a clip that has video.
        face_size: Longest side of these pictures [px].
        faces: Whether the face is followed through every clip and its pictures are kept;
            recordings without a usable face are dropped then.
        picture_size: Side of these pictures [px].
        picture_quality: Their JPEG quality, 1 to 100.
        least_found: Least share of the pictures in which the face is seen.
        least_iod: Least distance of the eyes [px of the video].
        most_yaw: How far the head may be turned aside [deg].
        most_outside: Largest share of the square around the head beyond the video's border.
        light: Least and most mean grey level of the face.
        most_lag: By how many frames of 25 fps lips may be late or early.
        validation: Share of the texts, or speakers, that is kept for validation.
        split_by: What must not stand in training and validation both.
        shard_megabytes: Size at which a shard is closed.
        seed: Of order, split and choice of pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortest: float = Field(0.6, gt=0)
    longest: float = Field(20.0, gt=0)
    edge: float = Field(0.15, ge=0)
    least_snr: float = 15.0
    least_bandwidth: float = Field(4500.0, ge=0)
    most_clipped: float = Field(0.002, ge=0)
    most_shortest_phones: float = Field(0.4, gt=0, le=1)
    longest_phone: float = Field(1.0, gt=0)
    phone_rate: tuple[float, float] = (4.0, 22.0)
    least_fit: float = -36.0
    least_local_fit: float = -70.0
    need_text: bool = False
    transcribe: float | None = Field(None, gt=0, le=1)
    speaker_encoder: str | None = None
    face_frames: int = Field(2, ge=0, le=16)
    face_size: int = Field(256, ge=64)
    faces: bool = False
    picture_size: int = Field(256, ge=64, le=1024)
    picture_quality: int = Field(90, ge=1, le=100)
    least_found: float = Field(0.9, gt=0, le=1)
    least_iod: float = Field(24.0, ge=0)
    most_yaw: float = Field(45.0, gt=0, le=90)
    most_outside: float = Field(0.4, ge=0, le=1)
    light: tuple[float, float] = (40.0, 235.0)
    most_lag: float = Field(2.5, gt=0)
    validation: float = Field(0.02, ge=0, lt=1)
    split_by: Literal["text", "speaker"] = "text"
    shard_megabytes: float = Field(100.0, gt=0)
    seed: int = Field(0, ge=0)
