"""Nested states (of optimisers, schedules) as tensors by name and the rest as JSON."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_MARKS = ("#tensor", "#tuple", "#numbers")


def split_tree(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """Take the tensors out of nested mappings, lists and tuples.

    Returns:
        What JSON can hold, with a mark where each tensor was; the tensors by path.

    Raises:
        TypeError: If something is neither a tensor nor plain.
    """
    tensors: dict[str, Tensor] = {}
    return _split(tree, "", tensors), tensors


def join_tree(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `split_tree`."""
    if isinstance(plain, list):
        return [join_tree(value, tensors) for value in plain]
    if not isinstance(plain, dict):
        return plain
    if "#tensor" in plain:
        return tensors[plain["#tensor"]]
    if "#tuple" in plain:
        return tuple(join_tree(plain["#tuple"], tensors))
    if "#numbers" in plain:
        return {int(key): join_tree(value, tensors) for key, value in plain["#numbers"].items()}
    return {key: join_tree(value, tensors) for key, value in plain.items()}


def _split(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(tree, torch.Tensor):
        # a copy: the file must not depend on storage that tensors share
        tensors[path] = tree.detach().cpu().contiguous().clone()
        return {"#tensor": path}
    if isinstance(tree, Mapping):
        values = {key: _split(value, f"{path}/{key}", tensors) for key, value in tree.items()}
        if values and all(isinstance(key, int) for key in values):
            return {"#numbers": {str(key): value for key, value in values.items()}}
        if not all(isinstance(key, str) and key not in _MARKS for key in values):
            raise TypeError(f"{path or 'the state'} has keys that are neither all text nor numbers")
        return values
    if isinstance(tree, list | tuple):
        items = [_split(value, f"{path}/{index}", tensors) for index, value in enumerate(tree)]
        return {"#tuple": items} if isinstance(tree, tuple) else items
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"{path} holds {type(tree).__name__}, which a checkpoint cannot keep")
