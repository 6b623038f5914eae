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
        member="weights/mediapipe/face_landmark_with_attention.tflite",
    ),
    JudgeCard(
        name="face-landmarker",
        purpose="478 landmarks of every frame, by a newer network",
        source="https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
        licence="Apache-2.0",
        loader=f"{_HERE}.landmarks:load_face_landmarker",
        origin="user",
        file="face_landmarker.task",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        note="its labels taught `lite` how a mouth moves, so it is not a stranger to it",
    ),
    JudgeCard(
        name="dnsmos",
        purpose="how clean and natural speech sounds (MOS of ITU-T P.835)",
        source="Microsoft DNS Challenge, in speechmos 0.0.1.1 on PyPI",
        licence="MIT",
        loader=f"{_HERE}.dnsmos:load_dnsmos",
        origin="wheel",
        file="dnsmos_sig_bak_ovr.onnx",
        sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
        carrier="speechmos==0.0.1.1",
        member="speechmos/dnsmos_models/sig_bak_ovr.onnx",
        needs="onnxruntime",
        install="pip install 'facevox[evaluate]'",
    ),
    JudgeCard(
        name="resemblyzer",
        purpose="who speaks (256-d speaker embedding, GE2E)",
        source="github.com/resemble-ai/Resemblyzer, in Resemblyzer 0.1.4 on PyPI",
        licence="Apache-2.0",
        loader=f"{_HERE}.resemblyzer:load_resemblyzer",
        origin="wheel",
        file="resemblyzer.pt",
        sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
        carrier="Resemblyzer==0.1.4",
        member="resemblyzer/pretrained.pt",
    ),
)

JUDGES = {card.name: card for card in _CARDS}
