"""The command line as a user meets it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import run

from facevox import __version__

SMALL = ["--size", "128", "--quiet"]


def is_one_sentence(err: str) -> bool:
    return err.startswith("facevox: ") and "Traceback" not in err and len(err.splitlines()) == 1


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv=['facevox','speak','--help']\n"
        "from facevox.app.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'av', 'numpy', 'scipy', 'gruut'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--vocal-tract" in done.stdout


def test_version(capsys):
    assert run(capsys, "--version")[:2] == (0, f"facevox {__version__}\n")


def test_speak_writes_a_video_and_tells_the_facts(lite, capsys, astronaut_file, tmp_path):
    target = tmp_path / "hello.mp4"
    code, out, err = run(
        capsys, "speak", astronaut_file, "Hello Bob.", "-o", target, "--json", *SMALL
    )
    assert code == 0, err
    facts = json.loads(out)
    assert target.exists()
    expected = {
        "output", "system", "seconds", "frames", "fps", "width", "height", "sample_rate",
        "real_time_factor", "load_seconds", "first_frame_seconds", "peak_memory_bytes", "seed",
        "voice", "warnings",
    }  # fmt: skip
    assert set(facts) == expected
    assert facts["frames"] == round(facts["seconds"] * facts["fps"])
    assert facts["system"] == "lite"


def test_speak_warns_of_a_drawn_face_once(lite, capsys, drawn_astronaut, tmp_path):
    from PIL import Image

    photo, target = tmp_path / "drawn.png", tmp_path / "drawn.mp4"
    Image.fromarray(drawn_astronaut).save(photo)
    code, out, err = run(capsys, "speak", photo, "Hello.", "-o", target, "--json", *SMALL)
    assert code == 0, err
    assert target.exists()
    assert err.count("looks drawn") == 1
    assert sum("looks drawn" in warning for warning in json.loads(out)["warnings"]) == 1


def test_text_from_a_file_and_a_saved_voice(lite, capsys, astronaut_file, tmp_path):
    text, voice = tmp_path / "text.txt", tmp_path / "voice.json"
    text.write_text("Hello again.")
    first = run(
        capsys, "speak", astronaut_file, "-f", text, "-o", tmp_path / "a.mp4", "--save-voice",
        voice, "--seed", 5, *SMALL,
    )  # fmt: skip
    assert first[0] == 0, first[2]
    second = run(
        capsys, "speak", astronaut_file, "-f", text, "-o", tmp_path / "b.mp4", "--voice", voice,
        "--seed", 5, *SMALL,
    )  # fmt: skip
    assert second[0] == 0, second[2]
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_voices_are_written_with_samples(lite, capsys, astronaut_file, tmp_path):
    code, out, err = run(
        capsys,
        "voices",
        astronaut_file,
        "--count",
        3,
        "-o",
        tmp_path / "v",
        "--text",
        "Hi.",
        "--json",
    )
    assert code == 0, err
    assert len(json.loads(out)["voices"]) == 3
    assert sorted(os.listdir(tmp_path / "v")) == [
        f"voice-{n}.{kind}" for n in (1, 2, 3) for kind in ("json", "wav")
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.jpg", "Hi."], "absent.jpg"),
        (["{photo}", ""], "text"),
        (["{photo}"], "Give the text"),
        (["{photo}", "Hi.", "-f", "x.txt"], "not both"),
        (["{photo}", "-f", "absent.txt"], "Cannot read the text file"),
        (["{photo}", "Hi.", "--head", "9"], "head must be between"),
        (["{photo}", "Hi.", "--pitch", "99"], "pitch must be between"),
        (["{photo}", "Hi.", "--fps", "fast"], "fps must be a number"),
        (["{photo}", "Hi.", "--fps", "0"], "fps must be between"),
        (["{photo}", "Hi.", "--box", "1,2,3"], "--box takes four numbers"),
        (["{photo}", "Hi.", "--face", "7"], "face"),
        (["{photo}", "Hi.", "--system", "heavy"], "There is no system"),
        (["{photo}", "Hi.", "--voice", "absent.json"], "There is no voice file"),
        (["{photo}", "Hi.", "-o", "clip.avi"], "must end in .mp4"),
        (["{photo}", "Hi.", "-o", "absent/clip.mp4"], "does not exist"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    lite, capsys, astronaut_file, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    words = [str(astronaut_file) if word == "{photo}" else word for word in arguments]
    code, out, err = run(capsys, "speak", *words)
    assert code == 2
    assert out == ""
    assert message in err
    assert is_one_sentence(err), err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(lite, capsys, astronaut_file, tmp_path, monkeypatch, number):
    from facevox.core import video

    monkeypatch.setattr(video._VideoTrack, "write", lambda *_: os.kill(os.getpid(), number))
    code, _, err = run(capsys, "speak", astronaut_file, "Hi.", "-o", tmp_path / "a.mp4", *SMALL)
    assert code == 130
    assert is_one_sentence(err)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_said(lite, capsys, astronaut_file, tmp_path, monkeypatch):
    import errno

    from facevox.core import video

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(video._VideoTrack, "write", full)
    code, _, err = run(capsys, "speak", astronaut_file, "Hi.", "-o", tmp_path / "a.mp4", *SMALL)
    assert code == 2
    assert "The disk is full" in err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut off", "absent"])
def test_damaged_weights_are_said(lite, capsys, astronaut_file, tmp_path, monkeypatch, damage):
    from facevox.core.checkpoint import WEIGHTS
    from facevox.models.face import mouth_motion

    copy = tmp_path / "mouth_motion.safetensors"
    if damage == "cut off":
        copy.write_bytes((WEIGHTS / copy.name).read_bytes()[:1000])
    monkeypatch.setattr(mouth_motion, "WEIGHTS", tmp_path)
    code, _, err = run(capsys, "speak", astronaut_file, "Hi.", "-o", tmp_path / "a.mp4", *SMALL)
    assert code == 2
    assert is_one_sentence(err), err
    assert "install facevox again" in err
    assert not (tmp_path / "a.mp4").exists()


def write_jobs(path, rows):
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))


def test_batch_goes_on_after_bad_rows_and_resumes(lite, capsys, astronaut_file, tmp_path):
    jobs, out_folder = tmp_path / "jobs.jsonl", tmp_path / "out"
    good = {"id": "good", "portrait": str(astronaut_file), "text": "Hi.", "size": 96}
    write_jobs(
        jobs,
        [good, "{not json", {"id": "faceless", "portrait": "absent.png", "text": "Hi."},
         {**good, "id": "../evil"}, {**good, "id": "odd", "colour": 3}, good],
    )  # fmt: skip
    code, out, err = run(capsys, "batch", jobs, "-o", out_folder, "--json")
    assert code == 2
    assert json.loads(out) == {"output": str(out_folder), "made": 1, "kept": 0, "failed": 5}
    assert "not JSON" in err
    assert "absent.png" in err
    assert "unknown key 'colour'" in err
    assert sorted(os.listdir(out_folder)) == ["good.mp4", "results.jsonl"]

    before = (out_folder / "good.mp4").stat().st_mtime_ns
    write_jobs(jobs, [good])
    code, out, _ = run(capsys, "batch", jobs, "-o", out_folder, "--json")
    assert (code, json.loads(out)["kept"]) == (0, 1)
    assert (out_folder / "good.mp4").stat().st_mtime_ns == before

    write_jobs(jobs, [{**good, "text": "Ho."}])
    assert json.loads(run(capsys, "batch", jobs, "-o", out_folder, "--json")[1])["made"] == 1


def test_batch_without_rows(capsys, tmp_path):
    (tmp_path / "jobs.jsonl").write_text("\n")
    code, _, err = run(capsys, "batch", tmp_path / "jobs.jsonl", "-o", tmp_path / "out")
    assert code == 2
    assert "is empty" in err
    assert not (tmp_path / "out").exists()


def test_doctor_is_content_here(lite, capsys):
    code, out, _ = run(capsys, "doctor", "--json")
    facts = json.loads(out)
    assert (code, facts["healthy"]) == (0, True)
    assert {"weights", "face models", "speech engine"} <= {f["piece"] for f in facts["findings"]}


def test_doctor_names_the_missing_piece(capsys, monkeypatch):
    from facevox.app.commands import doctor

    def absent() -> str:
        raise RuntimeError("libflite is not installed; do this.")

    monkeypatch.setitem(doctor.CHECKS, "speech engine", absent)
    code, out, _ = run(capsys, "doctor")
    assert code == 2
    assert "MISSING speech engine" in out
    assert "do this" in out


def test_info_lists_systems_and_weights(lite, capsys):
    code, out, _ = run(capsys, "info", "--json")
    facts = json.loads(out)
    assert code == 0
    assert [row["name"] for row in facts["systems"]] == ["lite", "ttsf"]
    assert all(row["licence"] == "Apache-2.0" for row in facts["weights"])
    assert run(capsys, "info")[1].startswith("facevox")


def test_weights_are_for_systems_that_are_trained(lite, astronaut_file, tmp_path, capsys):
    options = ["--weights", str(tmp_path), "-o", str(tmp_path / "a.mp4")]
    code, _, err = run(capsys, "speak", str(astronaut_file), "Hi.", *options)
    assert code != 0
    assert "The system lite has no option 'weights'" in err
    code, _, err = run(capsys, "speak", str(astronaut_file), "Hi.", "--system", "ttsf", *options)
    assert code != 0
    assert "talking_head" in err
    assert not list(tmp_path.iterdir())


def test_progress_bar_appears_only_after_two_seconds(capsys, monkeypatch):
    from facevox.app.report import progress_bar

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar("Quick") as show:
        show(0.5)
    assert capsys.readouterr() == ("", "")
    start = time.monotonic()
    with progress_bar("Slow") as show:
        monkeypatch.setattr(time, "monotonic", lambda: start + 3)
        show(0.5)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Slow" in err
    assert "50%" in err


def test_no_progress_bar_in_a_log_file(capsys, monkeypatch):
    from facevox.app.report import progress_bar

    start = time.monotonic()
    with progress_bar("Slow") as show:
        monkeypatch.setattr(time, "monotonic", lambda: start + 3)
        show(0.5)
    assert capsys.readouterr() == ("", "")
