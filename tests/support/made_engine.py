"""A neural engine that was never trained: it babbles, and obeys every law."""

import numpy as np
import torch

from facevox.core.voice import Voice
from facevox.models.speech.matcha.config import tiny
from facevox.models.speech.matcha.matcha import MatchaTTS
from facevox.models.speech.matcha_engine import Manner, MatchaEngine
from facevox.models.speech.vocoders import harmonic


def made_embedding(seed: int) -> tuple[float, ...]:
    vector = np.random.default_rng(seed).standard_normal(192)
    return tuple((vector / np.linalg.norm(vector)).tolist())


def made_voice(seed: int = 0, **fields) -> Voice:
    fields = {"f0_mean": 120.0, "vocal_tract": 1.0} | fields
    return Voice(engine="matcha", base="", speaker_embedding=made_embedding(seed), **fields)


def made_engine() -> MatchaEngine:
    torch.manual_seed(0)
    config = tiny().model_copy(update={"n_mels": 80, "speaker_dim": 192})
    acoustic = MatchaTTS(config)
    assert acoustic.pitch is not None
    torch.nn.init.constant_(acoustic.pitch.proj.bias, 3.0)  # nearly all of it voiced
    vocoder = harmonic.HarmonicVocoder(harmonic.tiny()).eval()
    manner = Manner(prosody_embedding=made_embedding(9), prosody_log2_f0=6.9, steps=2)
    return MatchaEngine(acoustic, vocoder, manner, {"reader": made_voice(3)})
