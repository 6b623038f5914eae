"""Names of what `facevox train` can train; each is imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from facevox.core.errors import InputError, MissingPiece

if TYPE_CHECKING:
    from facevox.training.task import Task

RECIPES = {
    "matcha": ("facevox.recipes.matcha:MatchaTask", "text to mel, with a speaker embedding"),
    "campplus": ("facevox.recipes.campplus:CampplusTask", "sound to speaker embedding"),
    "close-up": (
        "facevox.recipes.close_up:CloseUpTask",
        "the mouth of the talking face: where its pixels come from",
    ),
    "sync": (
        "facevox.recipes.sync:SyncTask",
        "S1 of the talking face: lips and sound",
    ),
    "ttsf": ("facevox.recipes.ttsf:JointTask", "S3 of the talking face: speech and face together"),
    "ttsf-lips": (
        "facevox.recipes.ttsf_lips:LipsTask",
        "speech to the mouth of the talking face",
    ),
    "ttsf-motion": (
        "facevox.recipes.ttsf_motion:MotionTask",
        "lips and noise to the motions of its head",
    ),
    "ttsf-warmup": (
        "facevox.recipes.ttsf_warmup:WarmUpTask",
        "S0 of the talking face: photo and motion to picture",
    ),
    "vocoder": ("facevox.recipes.vocoder:VocoderTask", "mel and F0 to sound"),
}
"""Name -> module:class of the task, and what it is in a few words."""

TRAIN_EXTRA = "Training needs more libraries ({name}); pip install 'facevox[train]'."


def load_task(name: str) -> "type[Task]":
    """Return the task of a recipe.

    Args:
        name: One of `RECIPES`.

    Raises:
        InputError: If there is no such recipe.
        MissingPiece: If the libraries of the extra `train` are not installed.
    """
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}; there are: {', '.join(sorted(RECIPES))}.")
    module, _, attribute = RECIPES[name][0].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "facevox"):
            raise
        raise MissingPiece(TRAIN_EXTRA.format(name=missing)) from error
