"""What a face is described by: its shape, its edges and the grain of its skin.

All of it is blind to colour, to the light's level and direction (roughly), to the
picture's scale and to left and right, so that little is left to learn wrongly from.
"""

from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from facevox.core.portrait.portrait import LEFT_IRIS, NUM_LANDMARKS, RIGHT_IRIS, Portrait
from facevox.models.bridge.face_texture import NUM_SKIN, SIDE, FaceTexture

CELL = 8
NUM_CELLS = SIDE // CELL
NUM_ORIENTATIONS = 8

GRAIN_SCALES = (1.0, 2.0, 4.0)
"""Standard deviations of the blurs between which the grain is measured [px of the flat face]."""

STABLE = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 61, 291, 10, 151, 9, 8, 152, 234, 454,
)  # fmt: skip
"""Landmarks by which faces are laid upon each other."""

NOSE_BASE = 2
"""Landmark below which the face moves with speech and smiles: the end of the upper face."""

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_LIGHT_REACH = 12.0  # px over which the light is taken as even
_IRIS_RIM = (1, 2, 3, 4)


class FaceFeatures:
    """Measures faces against one mean shape.

    Args:
        shape: Mean landmarks, frontal and symmetric.
        mirror: For each landmark its twin on the other side.
    """

    def __init__(self, shape: Float[np.ndarray, "478 3"], mirror: Int[np.ndarray, " 478"]) -> None:
        self.shape, self.mirror = shape.astype(np.float64), mirror
        self.texture = FaceTexture(shape)
        self._is_upper = shape[:NUM_SKIN, 1] < shape[NOSE_BASE, 1]

    @cached_property
    def _cells(self) -> Bool[np.ndarray, "cells half"]:
        """Cells of the left half that show enough of the face."""
        size = (NUM_CELLS, NUM_CELLS)
        share = cv2.resize(self.texture.inside, size, interpolation=cv2.INTER_AREA)
        return share[:, : NUM_CELLS // 2] > 0.3

    def __call__(self, portrait: Portrait) -> dict[str, Float32[np.ndarray, " n"]]:
        """Return the blocks `edges`, `grain`, `upper_shape` and `lower_shape`."""
        flat = self.texture.unwrap(portrait.pixels, portrait.landmarks)
        light = np.log(flat.astype(np.float32) @ _GREY + 8)
        shape = self._shape(portrait.landmarks)
        return {
            "edges": self._edges(self._even_light(light)),
            "grain": self._grain(light),
            "upper_shape": shape[self._is_upper].ravel(),
            "lower_shape": shape[~self._is_upper].ravel(),
        }

    def _even_light(
        self, light: Float32[np.ndarray, "side side"]
    ) -> Float32[np.ndarray, "side side"]:
        """Take away the light and shade that change slowly; unit variance over the face."""
        mask = self.texture.mask.astype(np.float32)
        around = cv2.GaussianBlur(light * mask, (0, 0), _LIGHT_REACH)
        detail = (light - around / (cv2.GaussianBlur(mask, (0, 0), _LIGHT_REACH) + 1e-3)) * mask
        spread = np.sqrt((detail**2).sum() / mask.sum())
        return detail / (spread + 1e-3)

    def _edges(self, detail: Float32[np.ndarray, "side side"]) -> Float32[np.ndarray, " n"]:
        """Return histograms of gradient directions per cell, left and right averaged.

        Reference: Dalal & Triggs, Histograms of oriented gradients for human detection, 2005.
        """
        across = cv2.Sobel(detail, cv2.CV_32F, 1, 0)
        down = cv2.Sobel(detail, cv2.CV_32F, 0, 1)
        strength = np.hypot(across, down) * self.texture.inside
        turn = np.mod(np.arctan2(down, across), np.pi) / np.pi * NUM_ORIENTATIONS
        below = np.floor(turn)
        share, first = turn - below, below.astype(np.int64) % NUM_ORIENTATIONS
        rows, columns = np.mgrid[:SIDE, :SIDE] // CELL
        cell = (rows * NUM_CELLS + columns) * NUM_ORIENTATIONS
        size = NUM_CELLS**2 * NUM_ORIENTATIONS
        bins = [
            np.bincount((cell + orientation).ravel(), (strength * part).ravel(), size)
            for orientation, part in (
                (first, 1 - share),
                ((first + 1) % NUM_ORIENTATIONS, share),
            )
        ]
        counts = (bins[0] + bins[1]).reshape(NUM_CELLS, NUM_CELLS, NUM_ORIENTATIONS)
        energy = cv2.GaussianBlur((counts**2).sum(-1).astype(np.float32), (0, 0), 1.0)
        counts = counts / np.sqrt(energy[..., None] + 4.0)
        other = counts[:, ::-1][..., -np.arange(NUM_ORIENTATIONS) % NUM_ORIENTATIONS]
        both = np.sqrt((counts + other) / 2)[:, : NUM_CELLS // 2]
        return both[self._cells].ravel().astype(np.float32)

    def _grain(self, light: Float32[np.ndarray, "side side"]) -> Float32[np.ndarray, " n"]:
        """Return the log energy of fine, middle and coarse detail per cell."""
        finer = light * self.texture.mask
        bands = []
        for scale in GRAIN_SCALES:
            coarser = cv2.GaussianBlur(light * self.texture.mask, (0, 0), scale)
            energy = (finer - coarser) ** 2 * self.texture.inside
            cells = cv2.resize(energy, (NUM_CELLS, NUM_CELLS), interpolation=cv2.INTER_AREA)
            both = (cells + cells[:, ::-1])[:, : NUM_CELLS // 2]
            bands.append(np.log(both + 1e-6)[self._cells])
            finer = coarser
        return np.concatenate(bands).astype(np.float32)

    def _shape(self, landmarks: Float32[np.ndarray, "478 3"]) -> Float32[np.ndarray, "468 3"]:
        """Return the symmetric part of what the face differs from the mean by."""
        stable = list(STABLE)
        mean = self.shape - self.shape[stable].mean(0)
        face = landmarks.astype(np.float64) - landmarks[stable].mean(0, dtype=np.float64)
        face = face @ _best_turn(face[stable], mean[stable])
        face *= np.linalg.norm(mean[stable]) / np.linalg.norm(face[stable])
        both = (face + (face * [-1.0, 1.0, 1.0])[self.mirror]) / 2
        return (both - mean)[:NUM_SKIN].astype(np.float32)


def iris_size(landmarks: Float32[np.ndarray, "478 3"]) -> float:
    """Return the mean diameter of the irises [IOD].

    The iris hardly grows after early childhood, the distance between the eyes does, so
    this is large in children.
    """
    points = landmarks[:, :2].astype(np.float64)
    radii = [
        np.linalg.norm(points[center + rim] - points[center])
        for center in (RIGHT_IRIS, LEFT_IRIS)
        for rim in _IRIS_RIM
    ]
    return float(2 * np.mean(radii) / np.linalg.norm(points[LEFT_IRIS] - points[RIGHT_IRIS]))


def _best_turn(
    face: Float[np.ndarray, "n 3"], mean: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "3 3"]:
    """Return the rotation R for which `face @ R` lies nearest to `mean` (Kabsch 1976)."""
    left, _, right = np.linalg.svd(face.T @ mean)
    sign = np.sign(np.linalg.det(left @ right))
    return left @ np.diag([1.0, 1.0, sign]) @ right


assert NUM_LANDMARKS == NUM_SKIN + 10
