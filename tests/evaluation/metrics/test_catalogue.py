"""The catalogue: every name once, every protocol a sentence, every judge known."""

import re

import pytest

from facevox.core.errors import InputError
from facevox.evaluation.judges.registry import JUDGES
from facevox.evaluation.metric import Metric
from facevox.evaluation.metrics.catalogue import all_metrics, choose_metrics
from facevox.evaluation.metrics.efficiency import FIGURES

METRICS = [metric for metrics in all_metrics().values() for metric in metrics]


def test_names_are_unique():
    names = [metric.name for metric in METRICS]
    figures = [figure.name for metric in METRICS for figure in metric.figures]
    figures += [figure.name for figure in FIGURES]
    assert len(set(names)) == len(names)
    assert len(set(figures)) == len(figures)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_keeps_the_contract(metric):
    assert isinstance(metric, Metric)
    assert re.fullmatch(r"[a-z0-9.-]+", metric.name)
    assert metric.version >= 1
    assert set(metric.judges) <= set(JUDGES)
    for figure in metric.figures:
        assert len(figure.protocol.split()) >= 5, figure.name
        assert figure.better in ("higher", "lower", "neither")


def test_metrics_are_chosen_by_name():
    chosen = choose_metrics(["fid", "mcd"])
    assert [metric.name for metrics in chosen.values() for metric in metrics] == ["fid", "mcd"]
    assert choose_metrics(["efficiency"]) == {}
    with pytest.raises(InputError, match=r"no metric .fdi.; there are: .*fid"):
        choose_metrics(["fdi"])


def test_no_name_is_refused_and_a_single_one_is_a_name():
    with pytest.raises(InputError, match="No metric is named"):
        choose_metrics([])
    assert choose_metrics("jitter").keys() == choose_metrics(["jitter"]).keys()
