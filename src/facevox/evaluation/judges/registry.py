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
