"""A made-up report that looks like a real one; no number in it was measured."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from facevox.core.chunk import Chunk
from facevox.core.clock import Clock
from facevox.core.motion import Motion
from facevox.core.video import write_video
from facevox.evaluation.metric import Estimate, Figure, NotMeasured
from facevox.evaluation.report.report import Illustrations, LipTrace, Report, SystemScores

FIGURES = (
    Figure(
        name="LSE-C (crop)", unit="", better="higher", digits=3,
        protocol="SyncNet v2 at 25 fps and 16 kHz, face crop enlarged by 0.40 to 224 px, "
        "offsets -15 to 15 frames; median minus minimum of the mean distance.",
    ),
    Figure(
        name="LSE-D (crop)", unit="", better="lower", digits=3,
        protocol="SyncNet v2, the same crops; minimum over offsets of the mean distance.",
    ),
    Figure(
        name="AV offset", unit="frames", better="neither", digits=1,
        protocol="Offset at which LSE-D is reached; LSE does not see a voice that is late.",
    ),
    Figure(
        name="Lip agreement", unit="", better="higher", digits=2,
        protocol="Pearson correlation of measured lip gap [IOD] and the openness of the phones.",
    ),
    Figure(
        name="FID (face crop)", unit="", better="lower", digits=1,
        protocol="pytorch-fid Inception, pool3, every frame of both sets as PNG.",
    ),
    Figure(
        name="ID-SIM (CurricularFace)", unit="", better="higher", digits=3,
        protocol="Cosine of CurricularFace IR-101 embeddings of each frame and the photo, mean.",
    ),
    Figure(
        name="Head yaw, spread", unit="deg", better="neither", digits=2,
        protocol="Standard deviation over time of the yaw, mean over clips.",
    ),
    Figure(
        name="WER (pocketsphinx)", unit="%", better="lower", digits=1,
        protocol="Words recognised by pocketsphinx en-us, both sides normalised, corpus rate.",
    ),
    Figure(
        name="SS (CAM++)", unit="", better="higher", digits=3,
        protocol="Cosine of CAM++ embeddings of the generated and the reference voice.",
    ),
    Figure(
        name="Loudness change", unit="dB", better="neither", digits=2,
        protocol="Integrated loudness minus -23 LUFS, ITU-R BS.1770-4.",
    ),
)  # fmt: skip

GROUPS = {
    "Lip synchrony": ("LSE-C (crop)", "LSE-D (crop)", "AV offset", "Lip agreement"),
    "Picture": ("FID (face crop)", "ID-SIM (CurricularFace)", "Head yaw, spread"),
    "Voice": ("WER (pocketsphinx)", "SS (CAM++)", "Loudness change"),
}

NO_WEIGHTS = (
    "SyncNet's weights are not on this machine; fetch syncnet_v2.model by hand, then "
    "`facevox judges add syncnet FILE`."
)


def _estimate(value: float, spread: float, count: int = 48, **more: str) -> Estimate:
    return Estimate(value=value, low=value - spread, high=value + spread, count=count, **more)


def _scores(name: str, shift: float, *, clips: int, **more: object) -> SystemScores:
    results = {
        "Lip agreement": _estimate(0.71 + 0.05 * shift, 0.03, clips),
        "FID (face crop)": NotMeasured(
            reason="1175 frames are fewer than the 2048 that the covariance needs; score more "
            "clips."
        ),
        "ID-SIM (CurricularFace)": _estimate(0.842 - 0.1 * shift, 0.021, clips),
        "Head yaw, spread": _estimate(2.31 + shift, 0.4, clips),
        "WER (pocketsphinx)": _estimate(
            12.4 - 3 * shift, 2.2, clips, note="Two clips were shorter than one second."
        ),
        "SS (CAM++)": Estimate(value=0.613, count=12, of="pairs"),
        "Loudness change": _estimate(-1.42 + 2 * shift, 0.8, clips),
    }
    made = {"LSE-C (crop)", "LSE-D (crop)", "AV offset"}
    results |= {figure: NotMeasured(reason=NO_WEIGHTS) for figure in sorted(made)}
    results |= more.pop("results", {})
    generator = np.random.default_rng(int(10 * shift) + 10)
    names = [f"p{k // 4:02d}_t{k % 4}" for k in range(clips)]
    return SystemScores(
        name=name,
        clips=clips,
        results=results,
        per_clip={
            "Lip agreement": {
                clip: float(0.71 + 0.05 * shift + 0.05 * generator.normal()) for clip in names
            }
        },
        identities={clip: clip[:3] for clip in names},
        **more,
    )


@pytest.fixture(scope="session")
def report() -> Report:
    """Two systems and recordings; something is missing, failed or noted everywhere."""
    real = _scores(
        "real", 1.0, clips=48,
        results={
            "LSE-C (crop)": _estimate(7.215, 0.31),
            "LSE-D (crop)": _estimate(6.934, 0.22),
            "AV offset": _estimate(1.0, 0.2),
        },
    )  # fmt: skip
    lite = _scores(
        "lite", 0.0, clips=48,
        info={
            "name": "lite", "summary": "Warps the photo; formant voice.", "voice": "formants",
            "parameters": 1_234_567, "licence": "Apache-2.0", "trained_against": [],
        },
        notes={"22050 Hz resampled to 16000": 48, "phone times by forced alignment": 3},
    )  # fmt: skip
    other = _scores(
        "wav2lip-gan", -0.6, clips=46,
        failed={
            "p07_t1": "shows no face.",
            "p07_t2": "The sound of p07_t2.mp4 is silence.",
        },
        results={"LSE-C (crop)": _estimate(8.402, 0.27, 46)},
        notes={"30 fps resampled to 25 by nearest frame": 46},
    )  # fmt: skip
    return Report(
        suite="grid-s1",
        created="2026-11-21T09:30:00Z",
        command="facevox evaluate --suite grid-s1 --systems lite,wav2lip-gan --data ../data",
        version="0.1.0",
        machine="AMD EPYC 7B13, 2 cores, no bf16 units",
        facts={
            "summary": "Recordings of one speaker, sentences of six words.",
            "digest": "9f" * 32, "items": 48, "people": 12, "texts": 48,
            "tracker": "attention-mesh", "seed": 0,
        },
        figures=FIGURES,
        groups=GROUPS,
        judges={
            "attention-mesh": {
                "sha256": "ab12" * 16, "source": "MediaPipe 0.10.21", "licence": "Apache-2.0",
            },
            "pocketsphinx": {
                "sha256": "pocketsphinx 5.0.4", "source": "PyPI", "licence": "BSD-2-Clause",
            },
            "syncnet": {
                "sha256": "", "source": "joonson/syncnet_python", "licence": "MIT",
                "problem": NO_WEIGHTS,
            },
            "curricularface": {
                "sha256": "cd34" * 16,
                "source": "https://github.com/HuangYG123/CurricularFace (IR-101)",
                "licence": "MIT (code), weights: research",
            },
        },
        systems=(real, lite, other),
        judged_by={"ID-SIM (CurricularFace)": ("curricularface", "attention-mesh")},
    )  # fmt: skip


def _clip(path: Path, colour: tuple[int, int, int]) -> Path:
    clock = Clock(fps=Fraction(25), sample_rate=16_000)
    y, x = np.mgrid[:96, :72]
    waveform = 0.1 * np.sin(np.arange(16_000) / 20).astype(np.float32)
    frames = []
    for k in range(25):
        picture = np.empty((96, 72, 3), np.uint8)
        picture[:] = colour
        face = ((x - 36) / 22) ** 2 + ((y - 44) / 30) ** 2 < 1
        mouth = ((x - 36) / 9) ** 2 + ((y - 58) / (1 + abs(k % 10 - 5))) ** 2 < 1
        picture[face], picture[mouth] = (224, 180, 150), (90, 20, 30)
        frames.append(picture)
    chunk = Chunk(
        frames=iter(frames), num_frames=25, waveform=waveform, first_frame=0, first_sample=0,
        phones=(), motion=Motion.rest(25), text="", done=1.0,
    )  # fmt: skip
    write_video(path, [chunk], clock=clock, size=(72, 96))
    return path


@pytest.fixture(scope="session")
def illustrations(tmp_path_factory) -> Illustrations:
    """Lips, voices and videos for the page."""
    folder = tmp_path_factory.mktemp("clips")
    generator = np.random.default_rng(0)
    people = [f"p{k:02d}" for k in range(12) for _ in range(4)]
    centres = generator.normal(size=(12, 192))
    voices = {}
    for name, spread in {"real": 0.5, "lite": 0.9, "wav2lip-gan": 0.7}.items():
        points = np.repeat(centres, 4, axis=0) + spread * generator.normal(size=(48, 192))
        unit = points / np.linalg.norm(points, axis=1, keepdims=True)
        voices[name] = (unit.astype(np.float32), people)
    time = np.arange(75) / 25
    openness = np.clip(np.sin(7 * time) * np.sin(2 * time + 0.3), 0, 1)
    lip_gap = 0.14 * np.roll(openness, 1) + 0.006 * generator.normal(size=75)
    lip_gap[40:44] = np.nan
    return Illustrations(
        lips=tuple(
            LipTrace(title=f"{name}: p00_t{k}", lip_gap=lip_gap * gain, openness=openness, fps=25.0)
            for k, (name, gain) in enumerate({"real": 1.0, "lite": 0.7}.items())
        ),
        voices=voices,
        voices_by="cam++",
        videos={
            "real": [("p00_t0", _clip(folder / "real.mp4", (60, 90, 130)))],
            "lite": [
                ("p00_t0", _clip(folder / "lite.mp4", (130, 90, 60))),
                ("p01_t0", folder / "absent.mp4"),
            ],
        },
    )
