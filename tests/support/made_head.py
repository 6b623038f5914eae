"""Networks of a talking face that were never trained: they obey every law."""

import torch

from facevox.models.face.ttsf.talking_head import TalkingHead, tiny


def made_head(seed: int = 0) -> TalkingHead:
    torch.manual_seed(seed)
    head = TalkingHead(tiny())
    with torch.no_grad():  # untrained motions are far larger than people's
        head.motion.weight.mul_(5.0)
        fields = head.generator.synthesis.mean_flow
        if fields is not None:
            fields.fields.normal_(0.0, 0.01)
    return head.eval().requires_grad_(False)
