"""Train a small CAM++ and measure it on speakers it has not heard.

    python -m facevox.recipes.campplus --data ../shared/data --out FOLDER --minutes 12

A network for larger corpora: on the shared speech it stays behind the closed form of
`facevox.recipes.speaker_encoder`, which therefore ships.
"""

import argparse
import json
import math
import time
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from facevox.core.checkpoint import save_checkpoint
from facevox.data.band_augmentation import distort
from facevox.models.speech.campplus import Campplus, small
from facevox.models.speech.speech_statistics import FRAME_STEP, bands, without_pauses
from facevox.recipes.speaker_crops import Crops, split
from facevox.recipes.speaker_trials import Embed, measure

NAME = "campplus"
CLASSES, CROPS = 24, 2
SCALE, MARGIN = 30.0, 0.2
LOG_EVERY = 25


class SpeakerLoss(nn.Module):
    """Additive angular margin over all classes, and pairs of crops against each other.

    Reference:
        Deng et al., ArcFace, CVPR 2019; Chung et al., In defence of metric learning for
        speaker recognition, Interspeech 2020.
    """

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(num_classes, dim) * 0.05)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(
        self,
        made: Float32[Tensor, "batch dim"],
        classes: Int64[Tensor, " batch"],
        margin: float,
    ) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
        """Return both losses."""
        cosine = made @ functional.normalize(self.centers, dim=-1).T
        angle = torch.acos(cosine.clamp(-0.999, 0.999))
        target = functional.one_hot(classes, cosine.shape[1]).bool()
        logits = SCALE * torch.where(target, torch.cos(angle + margin), cosine)
        first, second = made[0::CROPS], made[1::CROPS]
        pairs = self.scale.clamp_min(1.0) * first @ second.T
        own = torch.arange(len(pairs))
        both = functional.cross_entropy(pairs, own) + functional.cross_entropy(pairs.T, own)
        return functional.cross_entropy(logits, classes), both / 2


def embed_bands(
    network: Campplus, frames: Float32[Tensor, "batch frames 80"]
) -> Float32[Tensor, "batch dim"]:
    """Return embeddings of length one of log energies of mel bands."""
    made = network(frames - frames.mean(1, keepdim=True)).float()
    return functional.normalize(made, dim=-1)


def embedder(network: Campplus) -> Embed:
    """Return the function from a waveform to the embedding of all of it."""
    network.eval()

    def embed(waveform: np.ndarray) -> np.ndarray:
        speech = torch.from_numpy(without_pauses(waveform.astype(np.float32)))
        with torch.inference_mode():
            return embed_bands(network, bands(speech[None]))[0].numpy()

    return embed


def draw_pairs(
    crops: Crops, generator: np.random.Generator
) -> tuple[Float32[Tensor, "batch frames 80"], Int64[Tensor, " batch"]]:
    """Return crops of some classes, those of a class side by side, and their classes."""
    classes = generator.choice(crops.num_classes, min(CLASSES, crops.num_classes), replace=False)
    drawn = torch.cat([crops.draw(int(one), CROPS) for one in classes])
    return drawn, torch.from_numpy(np.repeat(classes, CROPS))


def train(
    crops: Crops, seconds: float, rate: float, seed: int
) -> tuple[Campplus, list[list[float]]]:
    """Return a network trained for some time, and its log: step, share of the time, losses."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    classes_generator = np.random.default_rng(seed)
    network = Campplus(small())
    loss = SpeakerLoss(network.config.dim, crops.num_classes)
    parameters = [*network.parameters(), *loss.parameters()]
    optimizer = torch.optim.AdamW(parameters, rate, weight_decay=0.05)
    start, log, step, sums = time.monotonic(), [], 0, np.zeros(3)
    while (done := (time.monotonic() - start) / seconds) < 1:
        warm = min(1.0, (step + 1) / 50)
        optimizer.param_groups[0]["lr"] = rate * warm * (0.5 + 0.5 * math.cos(math.pi * done))
        drawn, classes = draw_pairs(crops, classes_generator)
        with torch.autocast("cpu", torch.bfloat16):
            made = embed_bands(network, distort(drawn, generator))
        margin = MARGIN * min(1.0, 2 * done)
        angular, pairs = loss(made, classes, margin)
        optimizer.zero_grad(set_to_none=True)
        (angular + pairs).backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        step += 1
        sums += [1, float(angular.detach()), float(pairs.detach())]
        if step % LOG_EVERY == 0:
            log.append([step, round(done, 3), *(sums[1:] / sums[0]).round(3).tolist()])
            sums[:] = 0
    return network, log


def main() -> None:
    """Run the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    heard, halves, others = split(options.data)
    crops = Crops(heard, np.random.default_rng(options.seed))
    network, log = train(crops, 60 * options.minutes, options.rate, options.seed)
    card = {
        "kind": "speaker-encoder",
        "config": {"campplus": asdict(network.config), "frame_step": FRAME_STEP},
        "speakers": len(crops.speakers),
        "results": measure(embedder(network), halves, others),
        "data": "LibriSpeech (Panayotov et al. 2015, CC BY 4.0), LJSpeech and a reader of its "
        "texts, a German reader, GRID speaker 1 (Cooke et al. 2006)",
        "licence": "Apache-2.0",
        "command": f"python -m facevox.recipes.campplus --data DATA --out FOLDER "
        f"--minutes {options.minutes:g} --rate {options.rate:g} --seed {options.seed}",
        "date": date.today().isoformat(),
        "log": log,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    save_checkpoint(options.out / f"{NAME}.safetensors", network.state_dict(), card)
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main()
