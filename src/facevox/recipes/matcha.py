"""Train the acoustic model: text and a voice to mel, durations and melody.

    facevox prepare facevox-shared SPEECH -o SHARDS --speaker-encoder ENCODER.safetensors
    facevox train matcha --data SHARDS -o RUN

The voice is a speaker embedding of the recording, or what a network sees in the speaker's
face (`--set model.condition=face --set model.identity=MODULE:FUNCTION`).

Reference:
    Mehta et al., Matcha-TTS, ICASSP 2024; Jang et al., Faces that Speak, CVPR 2024, sec. 3.2.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from facevox.core.checkpoint import save_checkpoint
from facevox.core.errors import ConfigError, DataError
from facevox.data.shards import Shards
from facevox.data.spoken_samples import read_spoken, transcribed
from facevox.models.speech.matcha.batch import MatchaBatch
from facevox.models.speech.matcha.config import paper, tiny
from facevox.models.speech.matcha.matcha import MatchaTTS, MatchaVoice
from facevox.models.speech.mel import MelSettings
from facevox.recipes.matcha_batches import BatchMaker
from facevox.recipes.matcha_settings import MatchaSettings
from facevox.training.batches import PackedBatches
from facevox.training.context import Context
from facevox.training.schedules import rise_and_fall
from facevox.training.task import Batches, Samples, Task

FACE_DIM = 512
"""Size of the identity feature of a face (Faces that Speak, sec. 3.1)."""

_SHOWN = 4
_ANSWER_STEPS = 10
_LAST_SHARE = 0.05


class MatchaTask(Task):
    """Text and a voice to mel, durations and melody."""

    name = "matcha"
    Config = MatchaSettings
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "small": {},
        "paper": {
            "model": {
                "matcha": paper()
                .model_copy(update={"speakers": "embedding", "mel_mean": -6.0, "mel_std": 2.4})
                .model_dump()
            },
            "loss": {"duration": 1.0, "prior": 1.0},
            "optim": {"rate": 1e-4, "warm_up": 1, "decay": 0.0, "betas": (0.9, 0.999)},
            "data": {"frames": 16_000, "floor": float(np.log(MelSettings().floor))},
            "run": {"steps": 500_000, "clip": 5.0},
        },
        "tiny": {
            "model": {
                "matcha": tiny().model_copy(update={"n_mels": 80, "speaker_dim": 192}).model_dump()
            },
            "data": {"frames": 800},
            "run": {"steps": 4},
        },
    }
    averaged = ("matcha",)
    exported = ("matcha",)

    def __init__(self, config: MatchaSettings, data: Path) -> None:
        super().__init__(config, data)
        by_frame = config.model.matcha.prior is not None
        prior = "frame_prior" if by_frame else "prior"
        self.best = "cfm" if self._with_flow else prior

    def networks(self) -> dict[str, nn.Module]:
        """Make the acoustic model.

        Raises:
            ConfigError: If its sizes do not fit the condition.
        """
        model = self.config.model
        if model.matcha.speakers != "embedding":
            raise ConfigError(
                "This recipe trains on voices given as embeddings; set "
                "model.matcha.speakers=embedding."
            )
        wanted = FACE_DIM if model.condition == "face" else model.matcha.speaker_dim
        if model.matcha.speaker_dim != wanted:
            raise ConfigError(
                f"The identity of a face has {FACE_DIM} numbers, but model.matcha.speaker_dim is "
                f"{model.matcha.speaker_dim}; set it to {FACE_DIM}."
            )
        network = MatchaTTS(model.matcha)
        for name, parameter in network.named_parameters():
            in_flow = name.startswith("decoder.")
            parameter.requires_grad_(model.learn == "all" or in_flow == (model.learn == "flow"))
        return {"matcha": network}

    def optimizers(self, networks: Mapping[str, nn.Module]) -> dict[str, Optimizer]:
        """Make one AdamW."""
        optim = self.config.optim
        parameters = [p for p in networks["matcha"].parameters() if p.requires_grad]
        return {
            "matcha": AdamW(parameters, optim.rate, betas=optim.betas, weight_decay=optim.decay)
        }

    def schedules(self, optimizers: Mapping[str, Optimizer]) -> dict[str, LRScheduler]:
        """Let the rate rise, then fall."""
        return rise_and_fall(
            optimizers,
            warm_up=self.config.optim.warm_up,
            steps=self.run.steps,
            last_share=_LAST_SHARE,
        )

    def batches(self, split: str) -> Batches:
        """Pack transcribed samples by length; training draws other sizes of speakers."""
        shards, learning = Shards(self.data, split), split == "train"
        numbers = self._drawn(shards) if learning else transcribed(shards)
        maker = BatchMaker(self.config)

        def load(chosen: list[int], generator: np.random.Generator) -> MatchaBatch:
            samples = [
                read_spoken(shards[numbers[i]], shards.entries[numbers[i]]["name"]) for i in chosen
            ]
            return maker.make(samples, generator if learning else None)

        lengths = [shards.entries[number]["frames"] for number in numbers]
        seed = self.run.seed + (not learning)
        return PackedBatches(
            lengths, load, budget=self.config.data.frames, seed=seed, shuffle=learning
        )

    def weight(self, batch: MatchaBatch) -> float:
        """Return the frames of a batch."""
        return float(batch.mel_lengths.sum())

    def step(self, context: Context, batch: MatchaBatch) -> dict[str, float | Tensor]:
        """Learn durations, prior, melody and flow: together, or as `model.learn` says."""
        if self.config.model.learn == "flow":
            # what is frozen speaks as it will when used
            frozen = context.plain["matcha"].eval()
            frozen.get_submodule("decoder").train()
        losses = context["matcha"](batch, flow=self._with_flow)
        weights = self.config.loss.model_dump()
        context.backward(sum(weights[name] * loss for name, loss in losses.items()))
        context.update("matcha")
        return {name: loss.detach() for name, loss in losses.items()}

    def validate(self, context: Context) -> dict[str, float]:
        """Return the mean losses over held-out recordings."""
        batches = self.batches("validation")
        rows: list[dict[str, float]] = []
        for number in range(len(batches)):
            batch = batches[number].to(context.device)
            generator = torch.Generator().manual_seed(number)
            losses = context["matcha"](batch, generator, flow=self._with_flow)
            rows.append({name: float(loss) for name, loss in losses.items()})
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def samples(self, context: Context) -> Samples:
        """Draw mels of held-out sentences, beside the recorded ones."""
        network = context.plain["matcha"]
        assert isinstance(network, MatchaTTS)
        batch = self.batches("validation")[0].to(context.device)
        pictures: dict[str, np.ndarray] = {}
        for row in range(min(_SHOWN, len(batch.ids))):
            length = int(batch.id_lengths[row])
            one = slice(row, row + 1)
            mel, _ = network.synthesise(
                batch.ids[one, :length],
                batch.id_lengths[one],
                [row],
                batch.tags[one, :length] if batch.tags is not None else None,
                MatchaVoice(
                    speaker_embedding=_row(batch.speaker_embedding, row),
                    log2_f0_mean=_row(batch.log2_f0_mean, row),
                ),
                steps=_ANSWER_STEPS,
            )
            recorded = batch.mel[row, :, : int(batch.mel_lengths[row])]
            for name, shown in (("made", mel[0]), ("real", recorded)):
                pictures[f"{row}-{name}"] = np.clip((shown.flip(0).cpu().numpy() + 11) / 13, 0, 1)
        return Samples(pictures=pictures)

    def describe_data(self) -> dict[str, Any]:
        """Return the corpora and the hours."""
        shards = Shards(self.data, "train")
        numbers = transcribed(shards)
        hours = sum(shards.entries[number]["frames"] for number in numbers) / 360_000
        speakers = {shards.entries[number]["speaker"] for number in numbers}
        return {
            "data": f"{self.data.name}: {len(numbers)} transcribed recordings of "
            f"{len(speakers)} speakers, {hours:.2f} h"
        }

    def export(
        self, networks: Mapping[str, nn.Module], folder: Path, card: Mapping[str, Any]
    ) -> list[Path]:
        """Write `matcha.safetensors`; its card holds the sizes, and apart the settings."""
        sizes = self.config.model.matcha.model_dump(mode="json")
        changed = {**card, "kind": "matcha", "config": sizes, "settings": card["config"]}
        return [
            save_checkpoint(folder / "matcha.safetensors", networks["matcha"].state_dict(), changed)
        ]

    @property
    def _with_flow(self) -> bool:
        return self.config.model.learn != "prior"

    def _drawn(self, shards: Shards) -> list[int]:
        """Return numbers of samples, each as often as its corpus counts."""
        weights = self.config.data.weights
        generator = np.random.default_rng([self.run.seed, 7])
        drawn: list[int] = []
        for number in transcribed(shards):
            entry = shards.entries[number]
            if "corpus" not in entry:
                raise DataError(
                    f"{shards.folder} does not say which corpus {entry['name']} is from, so "
                    "data.weights cannot count; prepare it again."
                )
            weight = weights.get(entry["corpus"], 1.0)
            drawn += [number] * int(weight + generator.random())
        if not drawn:
            raise DataError(f"data.weights leaves no recording of {shards.folder}.")
        return drawn


def _row(values: Tensor | None, row: int) -> Tensor | None:
    return None if values is None else values[row : row + 1]
