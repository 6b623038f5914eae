"""The C library flite, by ctypes: words with phones -> vocoder parameters.

flite predicts, every 5 ms, what a mixed-excitation vocoder needs.  We take these
parameters out and make the sound ourselves (`vocoder.py`), so that melody, tempo
and formants are set where nothing is damaged.

Reference:
    Black (2006), "CLUSTERGEN: A Statistical Parametric Synthesizer using
    Trajectory Modeling", Interspeech.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from facevox.core.errors import FacevoxError, MissingPiece
from facevox.models.speech.flite_binding import (
    SIGNATURES,
    open_library,
    read_track,
    register_voice,
)
from facevox.models.speech.segment import Segment

SAMPLE_RATE = 16_000
"""Samples per second of flite's statistical voices [Hz]."""

VOICES = ("slt", "rms", "awb")

_QUICK_DRAFT = 20
"""Coefficients that the vocoder may skip in the pass whose sound is thrown away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One word for flite.

    Attributes:
        text: The word, for flite's features.
        phones: ARPAbet with a stress digit 0 or 1 after each vowel.
        punctuation: "", ",", ";", ".", "?" or "!".
    """

    text: str
    phones: tuple[str, ...]
    punctuation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """What the vocoder needs, one row every 5 ms.

    Attributes:
        f0: Fundamental frequency [Hz], 0 where unvoiced.
        mel_cepstrum: Mel-cepstral coefficients, gain first.
        voicing: Strength of the voiced excitation in five bands.
    """

    f0: Float32[np.ndarray, " frames"]
    mel_cepstrum: Float32[np.ndarray, "frames order"]
    voicing: Float32[np.ndarray, "frames bands"]


class FliteLibrary:
    """flite with its three statistical voices; one caller at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flite = open_library("libflite")
        open_library("libflite_usenglish")
        open_library("libflite_cmulex")
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(self._flite, name, None)
            if function is None:
                raise MissingPiece(
                    f"The installed flite lacks {name}; facevox needs flite 2.1 or later."
                )
            function.restype, function.argtypes = result, arguments
        self._flite.flite_init()
        self._voices = {name: register_voice(name) for name in VOICES}

    def predict(self, voice: str, tokens: list[Token]) -> tuple[list[Segment], Parameters]:
        """Predict phone times and vocoder parameters at the voice's own tempo and pitch."""
        flite = self._flite
        with self._lock:
            utterance = flite.new_utterance()
            try:
                flite.utt_init(utterance, self._voices[voice])
                self._append_tokens(utterance, tokens)
                flite.feat_set_int(utterance.contents.features, b"mlsa_speed_param", _QUICK_DRAFT)
                if not flite.utt_synth_tokens(utterance):
                    raise FacevoxError("flite could not speak a sentence.")
                features = utterance.contents.features
                model = flite.val_cg_db(flite.feat_val(features, b"cg_db"))
                return list(self._segments(utterance)), self._parameters(features, model)
            finally:
                flite.delete_utterance(utterance)

    def _append_tokens(self, utterance: Any, tokens: list[Token]) -> None:
        flite = self._flite
        relation = flite.utt_relation_create(utterance, b"Token")
        for index, token in enumerate(tokens):
            item = flite.relation_append(relation, None)
            # flite drops a word whose phones equal the last word's, byte by byte.
            separator = "  " if index % 2 else " "
            for name, value in (
                (b"name", token.text),
                (b"punc", token.punctuation),
                (b"prepunctuation", ""),
                (b"whitespace", " "),
                (b"phones", separator + separator.join(token.phones)),
                (b"facevox_index", str(index)),
            ):
                flite.item_set_string(item, name, value.encode("ascii", "replace"))

    def _segments(self, utterance: Any) -> Iterator[Segment]:
        flite = self._flite
        syllable = b"R:SylStructure.parent."
        item = flite.relation_head(flite.utt_relation(utterance, b"Segment"))
        while item:
            name = flite.item_feat_string(item, b"name").decode()
            index = flite.ffeature_string(item, syllable + b"parent.R:Token.parent.facevox_index")
            yield Segment(
                name=name,
                end=flite.item_feat_float(item, b"end"),
                stressed=flite.ffeature_string(item, syllable + b"stress") == b"1",
                token=-1 if name == "pau" else int(index),
            )
            item = flite.item_next(item)

    def _parameters(self, features: int, model: int) -> Parameters:
        flite = self._flite
        raw = flite.val_track(flite.feat_val(features, b"param_track"))
        smooth = flite.mlpg(raw, model)
        try:
            columns = read_track(smooth)
        finally:
            flite.delete_track(smooth)
        strengths = read_track(flite.val_track(flite.feat_val(features, b"str_track")))
        return Parameters(f0=columns[:, 0], mel_cepstrum=columns[:, 1:], voicing=strengths)


@cache
def _load() -> FliteLibrary:
    return FliteLibrary()


_loading = threading.Lock()


def flite_library() -> FliteLibrary:
    """Return the library, loaded once per process.

    Raises:
        MissingPiece: If flite is not installed.
    """
    with _loading:
        return _load()
