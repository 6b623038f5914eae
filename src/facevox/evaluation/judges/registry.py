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
    JudgeCard(
        name="curricularface",
        purpose="whether two faces are the same person (512-d, TTSF's identity similarity)",
        source="github.com/HuangYG123/CurricularFace, CurricularFace_Backbone.pth (IR-101)",
        licence="MIT (repository); trained on refined MS1M, whose pictures are for research only",
        loader=f"{_HERE}.curricularface:load_curricularface",
        origin="user",
        file="curricularface.pth",
    ),
    JudgeCard(
        name="arcface-iresnet100",
        purpose="whether two faces are the same person (512-d)",
        source="github.com/deepinsight/insightface, arcface_torch model zoo, r100 backbone.pth",
        licence="non-commercial research only",
        loader=f"{_HERE}.arcface:load_arcface_iresnet100",
        origin="user",
        file="arcface_iresnet100.pth",
        note="Say which of the published files it is (MS1MV3, Glint360K, ...): scores differ.",
    ),
    JudgeCard(
        name="arcface-iresnet50",
        purpose="whether two faces are the same person (512-d), half the size",
        source="github.com/deepinsight/insightface, arcface_torch model zoo, r50 backbone.pth",
        licence="non-commercial research only",
        loader=f"{_HERE}.arcface:load_arcface_iresnet50",
        origin="user",
        file="arcface_iresnet50.pth",
        note="Say which of the published files it is (MS1MV3, Glint360K, ...): scores differ.",
    ),
    JudgeCard(
        name="hopenet",
        purpose="yaw, pitch and roll of the head, and the features behind DIV",
        source="github.com/natanielruiz/deep-head-pose, hopenet_robust_alpha1.pkl",
        licence="Apache-2.0 (repository); trained on 300W-LP, whose pictures are for research only",
        loader=f"{_HERE}.hopenet:load_hopenet",
        origin="user",
        file="hopenet_robust_alpha1.pkl",
    ),
)

JUDGES = {card.name: card for card in _CARDS}
