"""Cutting a TFLite graph into pieces that the runtime can execute.

A TFLite file is one flatbuffer whose root table holds the graph.  To get a piece of
it, the list of operators is narrowed and the lists of inputs and outputs are
replaced; weights and operators themselves stay as they are.

Reference: the flatbuffers format, https://flatbuffers.dev/internals, and the schema
of TensorFlow Lite, `tensorflow/compiler/mlir/lite/schema/schema.fbs`.
"""

import struct
from collections.abc import Sequence

_MODEL_SUBGRAPHS = 2
_GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 1, 2, 3


def cut_graph(
    content: bytes, operators: range, inputs: Sequence[int], outputs: Sequence[int]
) -> bytes:
    """Return a TFLite file that runs only some operators of another.

    Args:
        content: A TFLite file with one graph.
        operators: A run of operators, by position.
        inputs: Tensors that the caller will set.
        outputs: Tensors that the caller wants.

    Raises:
        ValueError: If the file has fewer operators than asked for.
    """
    data = bytearray(content)
    model = _follow(data, 0)
    graph = _follow(data, _follow(data, _field(data, model, _MODEL_SUBGRAPHS)) + 4)
    for field, tensors in ((_GRAPH_INPUTS, inputs), (_GRAPH_OUTPUTS, outputs)):
        data += bytes(-len(data) % 4)
        _point(data, _field(data, graph, field), len(data))
        data += struct.pack(f"<I{len(tensors)}i", len(tensors), *tensors)
    reference = _field(data, graph, _GRAPH_OPERATORS)
    start = _follow(data, reference)
    if not 0 <= operators.start < operators.stop <= _u32(data, start):
        raise ValueError(f"The graph has {_u32(data, start)} operators; asked for {operators}.")
    # entries are relative to their own place, so the list is narrowed where it lies
    start += 4 * operators.start
    struct.pack_into("<I", data, start, len(operators))
    _point(data, reference, start)
    return bytes(data)


def _u32(data: bytearray, place: int) -> int:
    return struct.unpack_from("<I", data, place)[0]


def _follow(data: bytearray, reference: int) -> int:
    """Return where a reference points to."""
    return reference + _u32(data, reference)


def _point(data: bytearray, reference: int, target: int) -> None:
    struct.pack_into("<I", data, reference, target - reference)


def _field(data: bytearray, table: int, index: int) -> int:
    """Return the place of a field of a table."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    return table + struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
