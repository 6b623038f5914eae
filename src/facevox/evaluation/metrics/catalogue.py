"""All metrics, in the order and groups of the report."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from facevox.core.errors import InputError
from facevox.evaluation.metric import Metric
from facevox.evaluation.metrics.efficiency import EFFICIENCY

_HERE = "facevox.evaluation.metrics"

GROUPS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "Lips and sound": (
        ("lip_sync:LipSync", {}),
        ("silent_lips:SilentLips", {}),
        ("sync_confidence:SyncConfidence", {"protocol": "crop"}),
        ("sync_confidence:SyncConfidence", {"protocol": "whole-frame"}),
    ),
    "Pictures": (
        ("face_kept:FaceKept", {}),
        ("identity_similarity:IdentitySimilarity", {}),
        (
            "identity_similarity:IdentitySimilarity",
            {"judge": "arcface-iresnet100", "label": "ArcFace R100"},
        ),
        ("fid:Fid", {}),
        ("fvd:Fvd", {}),
        ("fvd:Fvd", {"face": True}),
        ("fvd:Fvd", {"variant": "pytorch-i3d"}),
        ("ssim:Ssim", {}),
        ("psnr:Psnr", {}),
        ("lpips:Lpips", {}),
    ),
    "Head and eyes": (
        ("head_motion:HeadMotion", {}),
        ("head_diversity:HeadDiversity", {}),
        ("jitter:Jitter", {}),
        ("blinks:Blinks", {}),
    ),
    "Speech": (
        ("word_errors:WordErrors", {"recogniser": "pocketsphinx"}),
        ("word_errors:WordErrors", {"recogniser": "whisper-large-v2"}),
        ("word_errors:WordErrors", {"recogniser": "whisper-medium.en"}),
        ("speech_quality:SpeechQuality", {}),
        ("mel_cepstral_distortion:MelCepstralDistortion", {}),
        ("f0_error:F0RootMeanSquare", {}),
    ),
    "Voice and face": (
        ("speaker_similarity:SpeakerSimilarity", {"judge": "campplus"}),
        ("speaker_similarity:SpeakerSimilarity", {"judge": "xvector"}),
        ("speaker_similarity:SpeakerSimilarity", {"judge": "resemblyzer"}),
        ("dcts:Dcts", {"judge": "campplus", "samples": 8}),
        ("dcts:Dcts", {"judge": "campplus", "samples": 3}),
        ("dcts:Dcts", {"judge": "campplus", "samples": 8, "density": "gmm"}),
        ("dcts:Dcts", {"judge": "resemblyzer", "samples": 8}),
        ("dcts:Dcts", {"judge": "resemblyzer", "samples": 3}),
        ("face_voice_match:SameFaceOtherPhoto", {"judge": "campplus"}),
        ("face_voice_match:SameFaceOtherPhoto", {"judge": "resemblyzer"}),
        ("perceived_agreement:PerceivedAgreement", {}),
        ("speaker_similarity:FaceVoiceAssociation", {}),
    ),
}
"""Title of a group -> `module:Class` within this folder and its arguments."""


def all_metrics() -> dict[str, tuple[Metric, ...]]:
    """Return every metric, ready to use, by group."""
    return {
        title: tuple(_make(target, arguments) for target, arguments in rows)
        for title, rows in GROUPS.items()
    }


def choose_metrics(names: Sequence[str] | None) -> dict[str, tuple[Metric, ...]]:
    """Return the metrics of these names, by group; all of them for None.

    Raises:
        InputError: If there is no metric of a name, or no name.
    """
    groups = all_metrics()
    if names is None:
        return groups
    names = [names] if isinstance(names, str) else names
    if not names:
        raise InputError("No metric is named; name at least one, or leave the option out for all.")
    known = {metric.name for metrics in groups.values() for metric in metrics} | {EFFICIENCY}
    for name in names:
        if name not in known:
            raise InputError(f"There is no metric {name!r}; there are: {', '.join(sorted(known))}.")
    chosen = {
        title: tuple(metric for metric in metrics if metric.name in names)
        for title, metrics in groups.items()
    }
    return {title: metrics for title, metrics in chosen.items() if metrics}


def _make(target: str, arguments: dict[str, Any]) -> Metric:
    module, _, name = target.partition(":")
    return getattr(import_module(f"{_HERE}.{module}"), name)(**arguments)
