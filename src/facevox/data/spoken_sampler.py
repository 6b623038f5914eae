"""Batches of speech and mouths, of several kinds mixed in fixed shares."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from facevox.core.errors import DataError
from facevox.data.spoken_mouths import SpokenMouth
from facevox.nn.masks import length_mask


class SpokenSampler:
    """Draws windows of utterances, each kind as often as it is told, long utterances more often.

    Args:
        spoken: Utterances to draw from.
        frames: Video frames of a window.
        shares: Kind -> part of a batch; kinds that are not there leave theirs to the others.
        noise: Standard deviation of what is added to the features.
        loudness: Standard deviation of what is added to the energy of a whole utterance, in
            three of ten.

    Raises:
        DataError: If no kind with a share is there.
    """

    def __init__(
        self,
        spoken: Sequence[SpokenMouth],
        *,
        frames: int,
        shares: Mapping[str, float],
        noise: float = 0.0,
        loudness: float = 0.0,
    ) -> None:
        self._frames, self._noise, self._loudness = frames, noise, loudness
        self._kinds: list[list[SpokenMouth]] = []
        weights = []
        for kind, share in sorted(shares.items()):
            rows = [one for one in spoken if one.kind == kind]
            if rows and share > 0:
                self._kinds.append(rows)
                weights.append(share)
        if not weights:
            there = sorted({one.kind for one in spoken})
            raise DataError(
                f"The data holds speech of {there} only; set data.shares to draw from it."
            )
        self._bounds = np.cumsum(weights) / sum(weights)
        self._chances = [np.array([len(one.mouth) for one in rows], float) for rows in self._kinds]

    def draw(self, batch: int, generator: np.random.Generator) -> dict[str, Tensor]:
        """Return a batch of windows; see `collate_spoken`."""
        rows, starts, features = [], [], []
        for place in range(batch):
            kind = min(
                int(np.searchsorted(self._bounds, (place + 0.5) / batch)), len(self._bounds) - 1
            )
            chances = self._chances[kind]
            row = self._kinds[kind][generator.choice(len(chances), p=chances / chances.sum())]
            rows.append(row)
            starts.append(int(generator.integers(max(1, len(row.mouth) - self._frames + 1))))
            features.append(self._varied(row.features.astype(np.float32), generator))
        return collate_spoken(rows, starts, self._frames, features)

    def _varied(self, features: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        if self._noise > 0:
            features += self._noise * generator.standard_normal(features.shape, np.float32)
        if generator.random() < 0.3:
            features[:, -1] += self._loudness * generator.standard_normal()
        return features


def collate_spoken(
    rows: Sequence[SpokenMouth],
    starts: Sequence[int],
    frames: int,
    features: Sequence[np.ndarray] | None = None,
) -> dict[str, Tensor]:
    """Return windows of utterances as a batch, padded at the ends.

    Args:
        rows: Utterances.
        starts: First video frame of each window.
        frames: Video frames of a window.
        features: Features in place of the utterances' own.

    Returns:
        `features` (batch, mel_frames, channels) and `mask` of whole utterances; `start`;
        `mouth` (batch, frames, 9) and `known` (batch, frames) of the windows.
    """
    features = [row.features.astype(np.float32) for row in rows] if features is None else features
    lengths = torch.tensor([len(one) for one in features])
    mouth = torch.zeros(len(rows), frames, rows[0].mouth.shape[1])
    known = torch.zeros(len(rows), frames, dtype=torch.bool)
    for place, (row, start) in enumerate(zip(rows, starts, strict=True)):
        window = row.mouth[start : start + frames]
        mouth[place, : len(window)] = torch.from_numpy(window)
        known[place, : len(window)] = torch.from_numpy(row.known[start : start + frames])
    return {
        "features": pad_sequence([torch.from_numpy(one) for one in features], batch_first=True),
        "mask": length_mask(lengths, int(lengths.max())),
        "start": torch.tensor(list(starts)),
        "mouth": mouth,
        "known": known,
    }
