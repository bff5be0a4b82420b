"""Are the measures and their Monte Carlo errors those of the formulas, written differently?"""

import math

import numpy as np
import pytest

from prakerja_eval.compare.performance import Answers, performance

NAN = math.nan


def answers(theta, truth, half=1.0, p_value=None):
    theta, truth = np.array(theta, float), np.broadcast_to(truth, np.shape(theta)).astype(float)
    p = np.full(len(theta), 0.5) if p_value is None else np.array(p_value, float)
    return Answers(theta, np.full(len(theta), 0.4), theta - half, theta + half, p, truth)


def jackknife(statistic, *columns):
    """Return the standard error of a statistic by leaving each draw out in turn."""
    n = len(columns[0])
    left = [statistic(*([*c[:i], *c[i + 1 :]] for c in map(list, columns))) for i in range(n)]
    mean = math.fsum(left) / n
    return math.sqrt((n - 1) / n * math.fsum((v - mean) ** 2 for v in left))


def bias(theta, truth):
    return math.fsum(t - v for t, v in zip(theta, truth, strict=True)) / len(theta)


def rmse(theta, truth):
    centre = math.fsum(truth) / len(truth)
    return math.sqrt(math.fsum((t - centre) ** 2 for t in theta) / len(theta))


@pytest.fixture(params=[0.0, 0.5], ids=["truth fixed", "truth varies"])
def drawn(request):
    random = np.random.default_rng(20261124)
    truth = 1.0 + request.param * random.standard_normal(400)
    return truth + 2.0 + random.standard_normal(400), truth


def test_bias_and_rmse_are_sums_over_draws(drawn) -> None:
    found = performance(answers(*drawn))
    assert found["bias"] == pytest.approx(bias(*drawn), rel=1e-12)
    assert found["rmse"] == pytest.approx(rmse(*drawn), rel=1e-12)


def test_the_error_of_the_bias_is_its_jackknife(drawn) -> None:
    # the jackknife of a mean is its standard error exactly
    found = performance(answers(*drawn))
    assert found["bias_mc_se"] == pytest.approx(jackknife(bias, *drawn), rel=1e-9)


def test_the_error_of_the_rmse_is_its_jackknife_to_first_order(drawn) -> None:
    # infinitesimal against leave-one-out: they differ by about 1 / 400
    found = performance(answers(*drawn))
    assert found["rmse_mc_se"] == pytest.approx(jackknife(rmse, *drawn), rel=0.01)


def test_the_errors_are_those_of_morris_white_and_crowther_where_the_truth_is_fixed() -> None:
    theta, truth = [1.0, 2.0, 4.0, 5.0], 2.0  # bias 1, MSE (1 + 0 + 4 + 9) / 4 = 3.5
    found = performance(answers(theta, truth))
    assert found["bias"] == 1.0
    assert found["bias_mc_se"] == pytest.approx(math.sqrt(10 / (4 * 3)))  # sum (x - 3)^2 = 10
    of_mse = math.sqrt((2.5**2 + 3.5**2 + 0.5**2 + 5.5**2) / (4 * 3))
    assert found["rmse_mc_se"] == pytest.approx(of_mse / (2 * math.sqrt(3.5)))
    assert found["sd"] == pytest.approx(math.sqrt(10 / 3))
    assert found["se_ratio"] == pytest.approx(0.4 / math.sqrt(10 / 3))


def test_coverage_counts_the_intervals_that_hold_the_mean_truth() -> None:
    found = performance(answers([1.0, 2.0, 3.0, 9.0], [1.5, 2.5, 1.0, 3.0]))  # mean truth 2
    assert found["coverage"] == 0.75  # 1 to 3 hold it at a half-width of 1, ends included
    assert found["coverage_mc_se"] == pytest.approx(math.sqrt(0.75 * 0.25 / 4))


def test_an_interval_without_an_end_covers_and_none_is_counted_apart() -> None:
    made = answers([1.0, 9.0, 9.0], 0.0)
    endless = Answers(
        made.estimate,
        made.std_error,
        np.array([0.0, -np.inf, NAN]),
        np.array([2.0, np.inf, NAN]),
        made.p_value,
        made.truth,
    )
    found = performance(endless)
    assert (found["coverage"], found["no_interval"], found["estimated"]) == (1.0, 1, 3)


def test_rejections_are_size_where_the_truth_is_always_zero_and_power_elsewhere() -> None:
    p = [0.01, 0.2, 0.049, 0.05]
    size = performance(answers([1.0] * 4, 0.0, p_value=p))
    power = performance(answers([1.0] * 4, [0.0, 0.0, 0.0, 0.1], p_value=p))
    unknown = performance(answers([1.0] * 4, NAN, p_value=p))
    assert (size["size"], size["size_mc_se"]) == (0.5, 0.25)
    assert math.isnan(size["power"])
    assert power["power"] == 0.5
    assert math.isnan(power["size"])
    assert unknown["rejects"] == 0.5
    assert math.isnan(unknown["size"])
    assert math.isnan(unknown["power"])


def test_draws_without_an_estimate_take_no_part() -> None:
    some = performance(answers([1.0, NAN, 3.0, NAN], [2.0, 50.0, 2.0, 50.0]))
    assert some == performance(answers([1.0, 3.0], 2.0))


def test_without_a_truth_there_is_no_bias_but_a_spread() -> None:
    found = performance(answers([1.0, 3.0], NAN))
    assert math.isnan(found["bias"])
    assert math.isnan(found["coverage"])
    assert found["sd"] == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("theta", [[], [1.0]])
def test_too_few_draws_have_no_monte_carlo_error(theta) -> None:
    assert math.isnan(performance(answers(theta, 1.0))["bias_mc_se"])
