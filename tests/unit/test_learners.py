"""Cross-fitted learners: nobody is predicted by a fit that has seen them, and nothing is hidden."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.learners import cross_fit_mean, cross_fit_probability, folds_by_arm

N = 120
RNG = np.random.default_rng(5)
X = np.column_stack([np.arange(N), RNG.normal(size=(N, 2))])  # the first column tells people apart
D = RNG.random(N) < 1 / (1 + np.exp(-X[:, 1]))
Y = 2.0 + X[:, 1] + D + RNG.normal(size=N)
ONE = np.ones(N)
UNEQUAL = RNG.integers(1, 4, N).astype(float)


class Memory(RegressorMixin, BaseEstimator):
    """Predict how often a person was seen when learning."""

    def fit(self, x, y):
        self.seen_ = set(x[:, 0])
        return self

    def predict(self, x):
        return np.array([float(i in self.seen_) for i in x[:, 0]])


class Broken(RegressorMixin, BaseEstimator):
    """Predict no number for some."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.where(x[:, 0] < 7, np.nan, 1.0)


class Certain(ClassifierMixin, BaseEstimator):
    """Be certain about ten people."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, x):
        p = np.where(x[:, 0] < 10, 1.0, 0.5)
        return np.column_stack([1 - p, p])


def test_nobody_is_predicted_by_a_learner_that_has_seen_them():
    assert not cross_fit_mean(Memory(), X, Y, ONE, 5, 1).any()


def test_only_those_named_are_learnt_from():
    fold = np.arange(N) % 4
    found = cross_fit_mean(LinearRegression(), X, np.where(D, Y, np.nan), ONE, fold, 1, among=D)
    for k in range(4):
        rows = D & (fold != k)
        beta = np.linalg.lstsq(np.column_stack([np.ones(N), X])[rows], Y[rows], rcond=None)[0]
        want = np.column_stack([np.ones(N), X])[fold == k] @ beta
        np.testing.assert_allclose(found[fold == k], want, rtol=1e-8)


def test_folds_hold_equal_parts_of_both_arms_and_follow_the_seed():
    fold = folds_by_arm(D, 5, 1)
    for arm in (D, ~D):
        sizes = np.bincount(fold[arm], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    assert np.array_equal(fold, folds_by_arm(D, 5, 1))
    assert not np.array_equal(fold, folds_by_arm(D, 5, 2))


def test_people_of_one_household_share_a_fold():
    household = RNG.integers(0, 40, N)
    fold = folds_by_arm(D, 4, 1, household)
    for h in np.unique(household):
        assert len(set(fold[household == h])) == 1
    assert len(set(fold)) == 4


@pytest.mark.parametrize(
    "learner",
    [
        RandomForestClassifier(10, min_samples_leaf=20),
        make_pipeline(StandardScaler(), RandomForestClassifier(10, min_samples_leaf=20)),
    ],
)
def test_the_same_seed_gives_the_same_bytes_and_the_learner_stays_unfitted(learner):
    first, again, other = (
        cross_fit_probability(learner, X, D, ONE, np.arange(N) % 3, s) for s in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    last = learner.steps[-1][1] if hasattr(learner, "steps") else learner
    assert not hasattr(last, "classes_")
    assert last.random_state is None


def test_a_random_state_that_the_learner_names_is_kept():
    learner = RandomForestClassifier(5, min_samples_leaf=20, random_state=3)
    fold = np.arange(N) % 3
    first, other = (cross_fit_probability(learner, X, D, ONE, fold, s) for s in (1, 2))
    assert first.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    "learner", [LinearRegression(), make_pipeline(StandardScaler(), LinearRegression())]
)
def test_a_weight_of_two_is_two_people(learner):
    fold = np.arange(N) % 3
    times = np.repeat(np.arange(N), UNEQUAL.astype(int))
    weighted = cross_fit_mean(learner, X, Y, UNEQUAL, fold, 1)
    # a least-squares fit does not care where the columns are centred or how they are scaled
    repeated = cross_fit_mean(learner, X[times], Y[times], np.ones(len(times)), fold[times], 1)
    np.testing.assert_allclose(weighted[times], repeated, rtol=1e-8)


def test_a_search_over_parameters_hands_weights_on():
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2)
    fold = np.arange(N) % 3
    np.testing.assert_allclose(
        cross_fit_mean(search, X, Y, UNEQUAL, fold, 1),
        cross_fit_mean(Ridge(alpha=1.0), X, Y, UNEQUAL, fold, 1),
        rtol=1e-10,
    )


def test_a_classifier_gives_the_mean_of_zeros_and_ones_alone():
    ones = (Y > 2.5).astype(float)
    found = cross_fit_mean(LogisticRegression(), X[:, 1:], ones, ONE, 3, 1)
    assert ((found > 0) & (found < 1)).all()
    with pytest.raises(UsageError, match="not of zeros and ones"):
        cross_fit_mean(LogisticRegression(), X, Y, ONE, 3, 1)


def test_scores_of_zero_or_one_are_counted_and_refused_or_clipped_on_request():
    with pytest.raises(NotEstimableError, match=r"gives 10 of 120 people a score of 0 or 1"):
        cross_fit_probability(Certain(), X, D, ONE, 3, 1)
    clipped = cross_fit_probability(Certain(), X, D, ONE, 3, 1, clip=0.02)
    assert set(clipped) == {0.5, 0.98}


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (Ridge(), "Ridge, which has no predict_proba"),
        (SVC(), "SVC, which has no predict_proba"),
        (LogisticRegression, r"the class LogisticRegression; give an instance"),
        ("logit", "str, which has no fit"),
    ],
)
def test_what_is_no_classifier_is_refused_with_what_is_asked(learner, message):
    with pytest.raises(UsageError, match=message):
        cross_fit_probability(learner, X, D, ONE, 3, 1)


def test_a_learner_without_weights_is_refused_where_weights_differ():
    learner = KNeighborsClassifier(60)
    assert len(cross_fit_probability(learner, X[:, 1:], D, ONE, 3, 1)) == N
    with pytest.raises(UsageError, match=r"KNeighborsClassifier.fit takes no sample_weight"):
        cross_fit_probability(learner, X, D, UNEQUAL, 3, 1)


def test_missing_predictions_and_failures_of_the_learner_are_said():
    with pytest.raises(NotEstimableError, match="Broken predicts no number for 7 of 120 people"):
        cross_fit_mean(Broken(), X, Y, ONE, 3, 1)
    gap = np.where(np.arange(N) == 3, np.nan, Y)
    with pytest.raises(NotEstimableError, match="RandomForestRegressor could not learn from"):
        cross_fit_mean(RandomForestRegressor(2), X, gap, ONE, 3, 1)


def test_an_arm_within_one_fold_is_refused():
    few = np.zeros(N, dtype=bool)
    few[4] = True
    with pytest.raises(NotEstimableError, match="one fold holds all 1 treated people"):
        folds_by_arm(few, 5, 1)
    with pytest.raises(UsageError, match="needs 2 or more"):
        folds_by_arm(D, 1, 1)
