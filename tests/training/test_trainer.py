"""The loop: it learns, stops when told, keeps the best, and survives bad gradients."""

import json
import math

import numpy as np
import pytest
import torch
from tiny_recipe import TinyTask, weights_of
from torch import nn

from facevox.core.checkpoint import load_card, load_checkpoint
from facevox.core.errors import TrainingError
from facevox.training.checkpoints import CHECKPOINTS, Checkpoints
from facevox.training.cost import measure_cost
from facevox.training.curves import CURVES, read_curves
from facevox.training.ema import MovingAverage
from facevox.training.logs import LOSSES, VALIDATION, RunLog, read_table
from facevox.training.machine import choose_precision, computes_in_bf16, start_fabric
from facevox.training.run import RUN_FILE, plan_run, start_run
from facevox.training.settings import RunSettings
from facevox.training.task import Samples
from facevox.training.trainer import Trainer


def plan(folder, *overrides, kind=TinyTask):
    return plan_run(kind, data=folder, folder=folder / "run", overrides=overrides)


def trainer_of(folder, *overrides, kind=TinyTask):
    made = plan(folder, *overrides, kind=kind)
    (folder / "run").mkdir(exist_ok=True)
    task = kind(made.config, made.data)
    return Trainer(start_fabric(task.run), task, folder / "run")


def test_it_learns_and_leaves_everything(tmp_path):
    reports = []
    outcome = start_run(
        plan(tmp_path, "run.steps=60", "run.validate_steps=20", "run.ema=0.9"),
        report=reports.append,
    )
    folder = tmp_path / "run"
    assert (outcome.reason, outcome.step, outcome.skipped) == ("steps", 60, 0)
    rows = read_table(folder / VALIDATION)
    assert [row["step"] for row in rows] == ["20", "40", "60"]
    errors = [float(row["error"]) for row in rows]
    assert errors[-1] < 0.6 * errors[0]
    losses = read_table(folder / LOSSES)
    assert len(losses) == 60
    assert losses[0].keys() >= {"critic", "distance", "norm_generator", "rate_critic"}
    assert reports[-1].step == 60
    assert reports[0].seconds_left > 0
    assert json.loads((folder / RUN_FILE).read_text())["recipe"] == "tiny"
    assert (folder / "samples" / "step-000000060" / "curve.wav").stat().st_size == 44 + 2 * 160
    assert (folder / CURVES).stat().st_size > 1000
    assert read_curves(folder)["validation error"][0] == [20, 40, 60]


def test_what_is_exported_is_the_average_with_its_card(tmp_path):
    start_run(plan(tmp_path))
    path = tmp_path / "run" / "export" / "generator.safetensors"
    card, arrays = load_card(path), load_checkpoint(path)
    for key in ("kind", "data", "licence", "command", "date", "steps", "hours", "results"):
        assert key in card
    assert card["hardware"]["processes"] == 1
    assert card["config"]["run"]["precision"] == "32-true"
    trees = Checkpoints(tmp_path / "run" / CHECKPOINTS, 1).load(6).trees
    average = trees["averages"]["generator"]["0.weight"]
    assert np.array_equal(arrays["0.weight"], average.numpy())
    assert not torch.equal(average, trees["networks"]["generator"]["0.weight"])
    assert "3.running_mean" in arrays


def test_the_best_can_be_exported(tmp_path):
    class Worse(TinyTask):
        def validate(self, context):
            return {"error": float(context.step)}

    rule = ["run.validate_steps=2", "run.keep=1", "run.export=best"]
    start_run(plan(tmp_path, *rule, kind=Worse))
    assert Checkpoints(tmp_path / "run" / CHECKPOINTS, 1).steps() == [2, 6]
    card = load_card(tmp_path / "run" / "export" / "generator.json")
    assert (card["steps"], card["results"]) == (2, {"error": 2.0})


def test_validation_leaves_no_trace(tmp_path):
    weights = []
    for every in (1, 100):
        (tmp_path / str(every)).mkdir()
        trainer = trainer_of(tmp_path / str(every), f"run.validate_steps={every}")
        trainer.fit()
        weights.append(weights_of(trainer))
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name])


def test_the_time_limit_ends_a_run(tmp_path):
    outcome = start_run(plan(tmp_path, "run.steps=100000", "run.minutes=0.002"))
    assert outcome.reason == "minutes"
    assert 0 < outcome.step < 1000
    assert (tmp_path / "run" / "export" / "generator.json").exists()


class Sick(TinyTask):
    """Its generator's loss is not a number in some steps."""

    sick = (2,)

    def step(self, context, batch):
        made = super().step(context, batch)
        if context.step + 1 in self.sick:
            made["distance"] = torch.tensor(math.nan)
        return made

    def batches(self, split):
        batches = super().batches(split)
        sick = self.sick

        class Spoilt:
            def __len__(self):
                return len(batches)

            def __getitem__(self, number):
                batch = batches[number]
                return {**batch, "y": batch["y"] * math.nan} if number in sick else batch

        return Spoilt() if split == "train" else batches


class Dying(Sick):
    sick = tuple(range(3, 100))


def test_a_bad_gradient_is_skipped(tmp_path):
    trainer = trainer_of(tmp_path, kind=Sick)
    outcome = trainer.fit()
    assert outcome.skipped == 2  # of critic and generator
    assert all(bool(value.isfinite().all()) for value in weights_of(trainer).values())


def test_many_bad_gradients_end_the_run_and_keep_the_checkpoint(tmp_path):
    rule = ["run.steps=50", "run.checkpoint_steps=3", "run.max_bad_steps=4"]
    with pytest.raises(TrainingError, match=r"not finite 4 times in a row \(step 5\)"):
        start_run(plan(tmp_path, *rule, kind=Dying))
    found = Checkpoints(tmp_path / "run" / CHECKPOINTS, 1).load_newest(0)
    assert found.numbers["step"] == 3
    assert all(bool(v.isfinite().all()) for v in found.trees["networks"]["generator"].values())


def test_a_frozen_network_gets_no_gradient(tmp_path):
    context = trainer_of(tmp_path).context
    with context.batch(1.0, last=True), context.frozen("critic"):
        made = context["generator"](torch.ones(4, 1))
        context.backward(context["critic"](torch.cat([made, made], 1)).sum())
    assert all(value.grad is None for value in context.plain["critic"].parameters())
    assert any(value.grad is not None for value in context.plain["generator"].parameters())
    assert all(value.requires_grad for value in context.plain["critic"].parameters())


def test_the_average_follows_and_steps_aside():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = MovingAverage(network, 0.5)
    nn.init.constant_(network.weight, 1.0)
    expected = 0.0
    for updates in range(20):
        decay = min(0.5, (1 + updates) / (10 + updates))
        expected = decay * expected + 1 - decay
        average.update()
    assert float(average.values["weight"]) == pytest.approx(expected, abs=1e-6)
    with average.applied():
        assert network.weight.item() == pytest.approx(expected, abs=1e-6)
    assert network.weight.item() == 1.0


def test_the_cost_is_measured_and_nothing_written(tmp_path):
    cost = measure_cost(plan(tmp_path, "run.steps=1000", "run.devices=2"))
    assert cost.parameters == {"generator": 8 + 8 + 16 + 9, "critic": 24 + 9}
    assert cost.multiply_adds > 1000
    assert cost.hours == pytest.approx(1000 * cost.seconds_per_step / 3600)
    assert cost.epochs == pytest.approx(2000 / cost.batches_per_epoch)
    assert list(tmp_path.iterdir()) == []


def test_precision_is_what_the_machine_has():
    resolved = choose_precision(RunSettings(accelerator="cpu"))
    assert resolved.precision == ("bf16-mixed" if computes_in_bf16("cpu") else "32-true")
    assert choose_precision(RunSettings(precision="32-true")).precision == "32-true"


def test_bf16_is_for_the_arithmetic_and_not_for_what_goes_in():
    seen = []

    class Probe(torch.nn.Linear):
        def forward(self, pitch):
            seen.append(pitch)
            return super().forward(pitch)

    fabric = start_fabric(RunSettings(accelerator="cpu", precision="bf16-mixed"))
    module = fabric.setup_module(Probe(1, 1))
    result = module(torch.tensor([[201.37]]))
    assert seen[0].dtype == torch.float32
    assert float(seen[0]) == pytest.approx(201.37, abs=1e-4)
    # the product has eight bits, and comes back in float32
    assert result.dtype == torch.float32
    assert torch.equal(result, result.bfloat16().float())


def test_logs_grow_columns_and_forget_what_will_come_again(tmp_path):
    log = RunLog(tmp_path)
    log.write(LOSSES, 1, 0.5, {"a": 1.0})
    log.write(LOSSES, 2, 0.7, {"a": 2.0, "b": 3.0})
    log.write_samples(2, Samples(pictures={"p": np.eye(4)}))
    log.close()
    with (tmp_path / LOSSES).open("a") as file:
        file.write("3,0.9")  # torn by a kill
    RunLog(tmp_path, 1).close()
    assert read_table(tmp_path / LOSSES) == [{"step": "1", "seconds": "0.5", "a": "1", "b": ""}]
    assert (tmp_path / "samples" / "step-000000002" / "p.png").exists()
