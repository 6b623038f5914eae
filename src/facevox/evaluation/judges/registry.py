"""All judges by name."""

from facevox.evaluation.judges.judge import JudgeCard

_HERE = "facevox.evaluation.judges"

_CARDS = (
    JudgeCard(
        name="attention-mesh",
        purpose="478 landmarks of every frame",
        source="MediaPipe 0.10.21, face_landmark_with_attention.tflite",
        licence="Apache-2.0",
        loader=f"{_HERE}.landmarks:load_attention_mesh",
        origin="package",
    ),
)

JUDGES = {card.name: card for card in _CARDS}
