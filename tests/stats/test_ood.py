"""Scores of how usual an input is: by hand, against second sources, and their invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import entr, logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from workbench.errors import DataError, UsageError
from workbench.stats import ood
from workbench.stats.logistic import fit_logistic

rng = np.random.default_rng(0)
LABELS = np.arange(120) % 3
TRAIN = rng.normal(size=(120, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=(3, 6))[LABELS]
NEW = rng.normal(size=(40, 6)) * 2
LOGITS = st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=5)


@given(LOGITS)
def test_scores_of_logits_equal_scipy(rows: list[list[float]]) -> None:
    """Softmax, log-sum-exp and entropy are scipy's, whatever the logits."""
    z = np.array(rows)
    p = softmax(z, axis=1)

    np.testing.assert_allclose(ood.msp(z), p.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(ood.energy(z), logsumexp(z, axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ood.energy(z, temperature=3.0), 3 * logsumexp(z / 3, axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ood.negative_entropy(z), -entr(p).sum(axis=1), atol=1e-10)
    np.testing.assert_array_equal(ood.max_logit(z), z.max(axis=1))


@given(LOGITS, st.floats(-100, 100))
def test_a_logit_shared_by_all_classes_moves_energy_alone(rows: list[list[float]], shift: float) -> None:
    """The softmax does not see it; energy and the largest logit move by it."""
    z = np.array(rows)

    np.testing.assert_allclose(ood.msp(z + shift), ood.msp(z), atol=1e-12)
    np.testing.assert_allclose(ood.energy(z + shift), ood.energy(z) + shift, atol=1e-10)
    np.testing.assert_allclose(ood.max_logit(z + shift), ood.max_logit(z) + shift, atol=1e-10)


def plain_distances(rows: np.ndarray, means: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return squared Mahalanobis distances (n, K) by solving one system for each pair."""
    return np.array([[(row - mean) @ np.linalg.solve(covariance, row - mean) for mean in means] for row in rows])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_mahalanobis_equals_a_plain_loop(kind: type) -> None:
    """Tied covariance / n plus the ridge, nearest class mean; relative takes the marginal distance off."""
    train, new = TRAIN.astype(kind), NEW.astype(kind)
    wide = train.astype(float)
    means = np.stack([wide[LABELS == k].mean(axis=0) for k in range(3)])
    residual, centred = wide - means[LABELS], wide - wide.mean(axis=0)
    tied, whole = (part.T @ part / len(part) + 1e-6 * np.eye(6) for part in (residual, centred))
    nearest = plain_distances(new.astype(float), means, tied).min(axis=1)
    marginal = plain_distances(new.astype(float), wide.mean(axis=0)[None], whole)[:, 0]
    fitted = ood.fit_gaussians(train, LABELS)

    np.testing.assert_allclose(fitted.mahalanobis(new), -nearest, rtol=1e-9)
    np.testing.assert_allclose(fitted.marginal(new), -marginal, rtol=1e-9)
    np.testing.assert_allclose(fitted.relative(new), marginal - nearest, rtol=1e-7, atol=1e-8)


def test_mahalanobis_does_not_change_with_the_basis_or_origin() -> None:
    """Without a ridge the distance is the same after any linear map of the features, and after a far shift."""
    turn = np.random.default_rng(1).normal(size=(6, 6))
    plain = ood.fit_gaussians(TRAIN, LABELS, ridge=0.0).mahalanobis(NEW)
    moved = ood.fit_gaussians(TRAIN @ turn + 1e4, LABELS, ridge=0.0).mahalanobis(NEW @ turn + 1e4)

    np.testing.assert_allclose(plain, moved, rtol=1e-6)


def test_without_labels_all_rows_are_one_class() -> None:
    """The relative distance is 0 then, and the plain one the marginal one."""
    fitted = ood.fit_gaussians(TRAIN)

    np.testing.assert_allclose(fitted.relative(NEW), 0, atol=1e-12)
    np.testing.assert_allclose(fitted.mahalanobis(NEW), fitted.marginal(NEW), rtol=1e-12)


def test_neighbours_equal_scikit_learn() -> None:
    """The k-th distance between rows of length one, also where the rows come in several parts."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (TRAIN, NEW)]
    distances, _ = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(unit[0]).kneighbors(unit[1])

    for k in (1, 5, 7):
        np.testing.assert_allclose(ood.fit_neighbours(TRAIN).distance(NEW, k=k), -distances[:, k - 1], atol=1e-7)
    whole = ood.fit_neighbours(TRAIN).distance(NEW, k=3)
    parts = [ood.fit_neighbours(TRAIN).distance(NEW[[i]], k=3)[0] for i in range(len(NEW))]
    np.testing.assert_allclose(whole, parts, atol=1e-7)


def test_cosine_to_class_means_by_hand() -> None:
    """A row between two means has the cosine of half their angle."""
    found = ood.fit_directions([[2.0, 0.0], [4.0, 0.0], [0.0, 3.0]], ["a", "a", "b"])

    np.testing.assert_allclose(found.cosine([[5.0, 5.0], [0.0, -1.0]]), [np.sqrt(0.5), 0.0], atol=1e-12)


def test_vim_by_hand() -> None:
    """Two features, one principal: the residual is the other one, and the scale makes it as large as the logits."""
    train = np.array([[-3.0, 0.1], [3.0, -0.1], [1.0, 0.3], [-1.0, -0.3]])
    weight, bias = np.array([[2.0, -2.0], [0.0, 0.0]]), np.array([1.0, -1.0])
    found = ood.fit_residual(train, weight, bias, principal=1)

    np.testing.assert_allclose(found.origin, [-0.5, 0.0], atol=1e-12)  # both logits are 0 there
    np.testing.assert_allclose(np.abs(found.basis[1]), 1, atol=1e-3)
    logits = train @ weight + bias
    np.testing.assert_allclose(
        found.scale, logits.max(axis=1).mean() / np.abs((train - found.origin) @ found.basis).mean(), rtol=1e-12
    )
    expected = logsumexp(logits, axis=1) - found.scale * np.abs(((train - found.origin) @ found.basis)[:, 0])
    np.testing.assert_allclose(found.vim(train, logits), expected, rtol=1e-12)


def test_the_origin_does_not_follow_what_the_softmax_cannot_see() -> None:
    """A weight and a bias that all classes share leave the origin, and so ViM, where they were, but for energy's own shift."""
    noise = np.random.default_rng(2)
    weight, bias = noise.normal(size=(6, 3)), noise.normal(size=3)
    plain = ood.fit_residual(TRAIN, weight, bias, principal=2)
    moved = ood.fit_residual(TRAIN, weight + 1e-7 * noise.normal(size=(6, 1)), bias + 5.0, principal=2)

    np.testing.assert_allclose(plain.origin, moved.origin, atol=1e-6)
    np.testing.assert_allclose(plain.residual(NEW), moved.residual(NEW), rtol=1e-5)


def test_the_head_is_scikit_learns() -> None:
    """At its minimum the loss, and so the logits up to a shared one, are those of LogisticRegression(C=1/(n penalty))."""
    found = fit_logistic(TRAIN, LABELS, penalty=1e-2, steps=500)
    other = LogisticRegression(C=1 / (len(TRAIN) * 1e-2), tol=1e-8, max_iter=5000).fit(TRAIN, LABELS)

    np.testing.assert_allclose(softmax(found.logits(NEW), axis=1), other.predict_proba(NEW), atol=1e-4)
    single = fit_logistic(TRAIN.astype(np.float32), [f"c{k}" for k in LABELS], penalty=1e-2, steps=500)
    assert ("c0", "c1", "c2") == single.classes
    np.testing.assert_allclose(softmax(single.logits(NEW), axis=1), other.predict_proba(NEW), atol=1e-3)


def _odd(kind: str) -> None:
    bad = TRAIN.copy()
    bad[3, 2] = np.nan
    calls = {
        "nan": lambda: ood.fit_gaussians(bad, LABELS),
        "width": lambda: ood.fit_gaussians(TRAIN, LABELS).mahalanobis(NEW[:, :5]),
        "labels": lambda: ood.fit_gaussians(TRAIN, LABELS[:5]),
        "blank": lambda: ood.fit_directions(TRAIN, np.array([None, *"a" * 119], dtype=object)),
        "singular": lambda: ood.fit_gaussians(np.ones((5, 2)), ridge=0.0),
        "k": lambda: ood.fit_neighbours(TRAIN).distance(NEW, k=121),
        "principal": lambda: ood.fit_residual(TRAIN, np.ones((6, 2)), np.zeros(2)),
        "one class": lambda: fit_logistic(TRAIN, np.zeros(120)),
        "logits": lambda: ood.msp([[np.inf, 0.0]]),
    }
    calls[kind]()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", "features are NaN or infinite in row 3"),
        ("width", "features have 5 columns; what was fitted has 6"),
        ("labels", r"labels must be one class per row \(120\)"),
        ("blank", "labels are blank in row 0"),
        ("singular", "The covariance of 5 rows in 2 dimensions is singular"),
        ("k", "k must be from 1 to 120"),
        ("principal", "principal must be from 1 to 5"),
        ("one class", "at least two classes"),
        ("logits", "logits are NaN or infinite in row 0"),
    ],
)
def test_what_does_not_fit_is_named(kind: str, message: str) -> None:
    """Each fault is one error that says what and where."""
    with pytest.raises((DataError, UsageError), match=message):
        _odd(kind)
