"""What all networks of face recognition offer: aligned faces become unit vectors."""

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn

_BATCH = 16


class FaceRecogniser(nn.Module):
    """A network that turns 112 x 112 faces into embeddings.

    Both networks here were trained on RGB in [-1, 1]: CurricularFace reads with PIL and
    normalises by mean .5 and deviation .5; InsightFace's PyTorch code turns OpenCV's BGR
    into RGB and does the same.  That is (x - 127.5) / 127.5; the 128 of the ArcFace paper
    belongs to its older MXNet models.
    """

    def embed(self, faces: UInt8[np.ndarray, "n 112 112 3"]) -> Float32[np.ndarray, "n dim"]:
        """Return the face embeddings, unit norm.

        Args:
            faces: From `align_face`, RGB.
        """
        rows = []
        with torch.inference_mode():
            for start in range(0, len(faces), _BATCH):
                part = torch.from_numpy(np.ascontiguousarray(faces[start : start + _BATCH]))
                x = part.permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)
                rows.append(nn.functional.normalize(self(x), dim=1))
        return torch.cat(rows).numpy()
