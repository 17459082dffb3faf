"""Alignment: by hand, against the scalar model, from simulation, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.result import Result
from analysis.sem import cfa, invariance
from analysis.sem.alignment import Alignment, alignment
from analysis.sem.alignment.agreement import agreement, r_squared
from analysis.sem.alignment.loss import aligned as aligned_terms
from analysis.sem.alignment.loss import curvature, pair_weights, slope, term_losses
from analysis.sem.alignment.pattern import Pattern, Term
from analysis.sem.alignment.precision import align
from analysis.sem.alignment.search import Task, best_alignment, directions
from analysis.sem.partable.values import complex_jacobian

mpl.use("Agg")

LOADINGS = np.array([0.8, 0.9, 1.0, 0.7, 0.85])
INTERCEPTS = np.array([0.0, 0.5, 1.0, -0.5, 0.2])
MEANS = {"a": 0.0, "b": 0.3, "c": -0.4, "d": 0.6, "e": -0.1}
SDS = {"a": 1.0, "b": 1.2, "c": 0.8, "d": 1.1, "e": 0.9}
MODEL = "f =~ x0 + x1 + x2 + x3 + x4"
# Intercepts that are .6 higher, and a loading that is .35 lower.
HIGHER = {"b": 1, "c": 2, "d": 3, "e": 4}
LOWER = {"c": 0}
# What the optimiser leaves when groups come in another order.
KEPT = 1e-6


def groups(
    n: int, seed: int, *, shift: float = 0.0, names: str = "abcde"
) -> pd.DataFrame:
    """Answers of groups whose items differ as `HIGHER` and `LOWER` say."""
    frames = []
    for name in names:
        rng = np.random.default_rng([seed, ord(name)])
        loadings, intercepts = LOADINGS.copy(), INTERCEPTS.copy()
        if shift and name in HIGHER:
            intercepts[HIGHER[name]] += shift
        if shift and name in LOWER:
            loadings[LOWER[name]] -= 0.35
        eta = MEANS[name] + SDS[name] * rng.normal(size=n)
        x = eta[:, None] * loadings + intercepts + 0.6 * rng.normal(size=(n, 5))
        frame = pd.DataFrame(x, columns=[f"x{k}" for k in range(5)])
        frames.append(frame.assign(g=name))
    return pd.concat(frames, ignore_index=True)


def by_hand() -> tuple[Pattern, np.ndarray, np.ndarray]:
    """Three items of two groups, in which one intercept is .5 higher."""
    pattern = Pattern(
        factor="f",
        loadings=tuple(Term("f", "=~", f"x{k}") for k in range(3)),
        locations=tuple(Term(f"x{k}", "~1", "") for k in range(3)),
        owner=np.arange(3),
        n_groups=2,
    )
    # Group 2 has mean .3 and standard deviation 1.25: lambda0 = 1.25 lambda.
    values = np.array(
        [[0.8, 1.0], [0.6, 0.75], [0.7, 0.875], [0.0, 0.24], [1.0, 1.18], [0.5, 1.21]]
    )
    return pattern, values.ravel(), np.array([400.0, 100.0])


@pytest.fixture(scope="module")
def differing() -> pd.DataFrame:
    return groups(800, 3, shift=0.6)


@pytest.fixture(scope="module")
def found(differing: pd.DataFrame) -> Alignment:
    return alignment(MODEL, differing, "g")


def test_two_groups_by_hand() -> None:
    pattern, values, n_obs = by_hand()
    weights = pair_weights(n_obs)
    assert weights.tolist() == [[0.0, 200.0], [200.0, 0.0]]
    task = Task(pattern, values, weights, 0.01, directions(2, "fixed", 0))
    best = best_alignment(task, 10, np.random.default_rng(1))
    # A grid of the loss, written out: s is the log deviation of group 2, -s of group 1.
    alpha, s = np.meshgrid(
        np.linspace(0.25, 0.35, 501), np.linspace(0.08, 0.14, 601), indexing="ij"
    )
    loss = np.zeros_like(alpha)
    (l1, l2), (n1, n2) = values.reshape(6, 2)[:3].T, values.reshape(6, 2)[3:].T
    for k in range(3):
        lower, upper = l1[k] * np.exp(s), l2[k] * np.exp(-s)
        for gap in (lower - upper, n1[k] - (n2[k] - alpha * upper)):
            loss += 200 * np.sqrt(np.sqrt(gap**2 + 0.01))
    at = np.unravel_index(loss.argmin(), loss.shape)
    assert best.loss <= loss.min()
    assert best.loss == pytest.approx(loss.min(), rel=1e-7)
    assert best.units[1] == pytest.approx(alpha[at], abs=2e-4)
    assert best.units[3] == pytest.approx(s[at], abs=2e-4)
    assert best.units[0] == pytest.approx(0.0, abs=1e-12)
    assert best.units[2] == pytest.approx(-best.units[3], abs=1e-12)


def test_a_component_by_hand() -> None:
    losses = term_losses(
        np.array([[0.0, 0.3]]), pair_weights(np.array([4.0, 9.0])), 0.01
    )
    assert losses[0] == pytest.approx(6 * (0.09 + 0.01) ** 0.25)


def test_slope_and_curvature_of_the_loss() -> None:
    pattern, given, n_obs = by_hand()
    weights = pair_weights(n_obs)
    units = np.array([0.1, 0.4, -0.2, 0.3])

    def loss(at: np.ndarray) -> float:
        return term_losses(aligned_terms(pattern, given, at), weights, 0.01).sum()

    step = 1e-5 * np.eye(4)
    numeric = [(loss(units + h) - loss(units - h)) / 2e-5 for h in step]
    found = slope(pattern, given, units, weights, 0.01)
    np.testing.assert_allclose(found, numeric, rtol=1e-6)

    def by_units(at: np.ndarray) -> np.ndarray:
        return slope(pattern, given, at, weights, 0.01)

    np.testing.assert_allclose(
        curvature(pattern, given, units, weights, 0.01),
        complex_jacobian(by_units, units),
        rtol=1e-10,
        atol=1e-9,
    )


@pytest.mark.parametrize("kind", ["fixed", "free"])
def test_slopes_of_the_optimum_are_those_of_searching_again(kind: Any) -> None:
    rng = np.random.default_rng(4)
    pattern, values, _ = by_hand()
    three = np.column_stack([values.reshape(6, 2), values.reshape(6, 2)[:, 1] * 0.9])
    three += 0.05 * rng.normal(size=three.shape)
    pattern = Pattern("f", pattern.loadings, pattern.locations, pattern.owner, 3)
    n_obs = np.array([300.0, 200.0, 250.0])

    def solved(at: np.ndarray) -> tuple[Task, np.ndarray]:
        task = Task(pattern, at, pair_weights(n_obs), 0.01, directions(3, kind, 1))
        return task, best_alignment(task, 2, np.random.default_rng(1)).units

    task, units = solved(three.ravel())
    identity = np.eye(len(task.given))
    result = align(task, units, 1, identity, identity)
    step, columns = 1e-5, []
    for k in range(len(task.given)):
        pair = [
            align(
                *solved(task.given + sign * step * identity[k]), 1, identity, identity
            )
            for sign in (1, -1)
        ]
        flat = [np.concatenate([a.means, a.variances, a.terms.ravel()]) for a in pair]
        columns.append((flat[0] - flat[1]) / (2 * step))
    slopes = np.stack(columns, axis=1)
    np.testing.assert_allclose(result.covariance, slopes @ slopes.T, atol=1e-5)


def test_full_invariance_gives_the_scalar_model() -> None:
    data = groups(3000, 11, names="abc")
    scalar = invariance(MODEL, data, "g").fit("intercepts").tidy()
    for kind in ("fixed", "free"):
        aligned = alignment(MODEL, data, "g", kind=kind)  # type: ignore[arg-type]
        means = aligned.means.set_index("group")
        gaps = means["mean"] - means.loc["a", "mean"]
        for group in "bc":
            here = scalar[(scalar["group"] == group) & (scalar["lhs"] == "f")]
            here = here.set_index("op")["estimate"]
            assert gaps[group] == pytest.approx(here["~1"], abs=1e-2)
            assert means.loc[group, "variance"] == pytest.approx(here["~~"], abs=3e-2)
        assert aligned.noninvariance == 0.0
        assert aligned.terms.query("op == '~1'")["r_squared"].min() > 0.98


def test_means_are_recovered_and_differing_items_named(found: Alignment) -> None:
    assert isinstance(found, Result)
    for row in found.means.itertuples():
        if row.group == "a":
            assert (row.mean, row.variance) == (0.0, 1.0)
            assert np.isnan(row.mean_se)
            continue
        assert abs(row.mean - MEANS[row.group]) < 3 * row.mean_se
        assert abs(row.variance - SDS[row.group] ** 2) < 3 * row.variance_se
    odd = found.parameters[~found.parameters["invariant"]]
    expected = {(f"x{k}", g) for g, k in HIGHER.items()}
    assert (
        set(
            zip(
                odd[odd["op"] == "~1"]["lhs"],
                odd["group"][odd["op"] == "~1"],
                strict=True,
            )
        )
        == expected
    )
    loading = odd[odd["op"] == "=~"]
    assert loading[["rhs", "group"]].to_numpy().tolist() == [["x0", "c"]]
    assert found.glance()["n_noninvariant"].item() == 5
    assert found.noninvariance == pytest.approx(5 / 50)
    terms = found.terms.set_index(["lhs", "op"])
    assert terms.loc[("x1", "~1"), "noninvariant"] == "b"
    assert terms.loc[("x0", "~1"), "r_squared"] > 0.95
    assert terms.loc[("x2", "~1"), "r_squared"] < 0.5
    assert found.terms["loss_share"].sum() == pytest.approx(1.0, abs=1e-12)
    # The scalar model, which calls all items equal, is far off.
    scalar = cfa(
        MODEL,
        groups(800, 3, shift=0.6),
        group="g",
        std_lv=True,
        group_equal=["loadings", "intercepts"],
    ).tidy()
    means = scalar[(scalar["lhs"] == "f") & (scalar["op"] == "~1")]["estimate"]
    true = np.array(list(MEANS.values()))
    aligned = np.abs(found.means["mean"] - true).max()
    assert aligned < 0.6 * np.abs(means.to_numpy() - true).max()


def test_standard_errors_cover_the_truth() -> None:
    z = []
    for seed in range(40):
        aligned = alignment(
            MODEL, groups(300, 100 + seed, names="abc"), "g", n_starts=2
        )
        rows = aligned.means.iloc[1:]
        true = rows["group"].map(MEANS)
        z += list((rows["mean"] - true) / rows["mean_se"])
    assert np.std(z) == pytest.approx(1.0, abs=0.25)
    assert abs(np.mean(z)) < 0.35


def test_the_order_of_groups_does_not_matter(
    differing: pd.DataFrame, found: Alignment
) -> None:
    turned = differing.iloc[::-1]
    other = alignment(MODEL, turned, "g", reference="a")
    assert other.fit.groups == tuple("edcba")
    a, b = (r.means.set_index("group")["mean"].sort_index() for r in (found, other))
    np.testing.assert_allclose(a, b, atol=KEPT)
    a, b = (
        r.parameters.set_index(["lhs", "op", "rhs", "group"])["estimate"].sort_index()
        for r in (found, other)
    )
    np.testing.assert_allclose(a, b, atol=KEPT)
    free = alignment(MODEL, differing, "g", kind="free")
    freed = alignment(MODEL, turned, "g", kind="free", reference="a")
    a, b = (r.means.set_index("group")["mean"].sort_index() for r in (free, freed))
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_sign_of_the_factor_does_not_matter(
    differing: pd.DataFrame, found: Alignment
) -> None:
    turned = differing.copy()
    items = [f"x{k}" for k in range(5)]
    turned[items] = -turned[items]
    model = "f =~ start(-0.8)*x0 + start(-0.9)*x1 + start(-1)*x2 + x3 + x4"
    plain = alignment(MODEL, turned, "g")
    fit = cfa(model, differing, group="g", std_lv=True)
    mirrored = alignment(fit)
    for other, sign in (
        (plain, -1.0),
        (mirrored, np.sign(mirrored.parameters["estimate"][0])),
    ):
        np.testing.assert_allclose(
            other.means["mean"] * sign, found.means["mean"], atol=1e-5
        )
        np.testing.assert_allclose(
            other.means["mean_se"].iloc[1:], found.means["mean_se"].iloc[1:], rtol=1e-4
        )


def test_a_group_whose_factor_is_turned_is_turned_back(
    differing: pd.DataFrame, found: Alignment
) -> None:
    model = "f =~ c(-0.8, 0.8, 0.8, 0.8, 0.8)?x0 + c(-0.9, 0.9, 0.9, 0.9, 0.9)?x1"
    fit = cfa(
        f"{model} + c(-1, 1, 1, 1, 1)?x2 + c(-0.7, 0.7, 0.7, 0.7, 0.7)?x3 "
        "+ c(-0.85, 0.85, 0.85, 0.85, 0.85)?x4",
        differing,
        group="g",
        std_lv=True,
    )
    tidy = fit.tidy()
    first = tidy[(tidy["op"] == "=~") & (tidy["rhs"] == "x0")]["estimate"].to_numpy()
    assert first[0] < 0 < first[1]
    np.testing.assert_allclose(
        alignment(fit).means["mean"], -found.means["mean"], atol=1e-5
    )


def test_how_the_factor_was_scaled_does_not_matter(
    differing: pd.DataFrame, found: Alignment
) -> None:
    marker = alignment(cfa(MODEL, differing, group="g"))
    first = alignment(
        invariance(MODEL, differing, "g", steps=["configural"]).fit("configural")
    )
    for other in (marker, first):
        for column in ("mean", "mean_se", "variance", "variance_se"):
            np.testing.assert_allclose(
                other.means[column], found.means[column], atol=1e-5
            )


def test_ordered_items() -> None:
    data = groups(1500, 21, shift=0.8, names="abcd")
    items = [f"x{k}" for k in range(5)]
    codes = data[items].apply(lambda x: np.digitize(x, [-0.8, 0.3, 1.4]))
    codes["g"] = data["g"]
    delta = alignment(MODEL, codes, "g", ordered=True)
    theta = alignment(
        cfa(MODEL, codes, group="g", ordered=True, parameterization="theta")
    )
    np.testing.assert_allclose(delta.means["mean"], theta.means["mean"], atol=1e-4)
    np.testing.assert_allclose(
        delta.means["mean_se"].iloc[1:], theta.means["mean_se"].iloc[1:], atol=1e-4
    )
    for row in delta.means.iloc[1:].itertuples():
        assert abs(row.mean - MEANS[row.group]) < 3.5 * row.mean_se
    cuts = delta.parameters[delta.parameters["op"] == "|"]
    assert len(cuts) == 5 * 3 * 4
    # Thresholds rise within an item; a shifted item lowers its own.
    of_x1 = cuts[(cuts["lhs"] == "x1") & (cuts["group"] == "a")]["estimate"]
    assert of_x1.is_monotonic_increasing
    odd = cuts[~cuts["invariant"]]
    assert {(r.lhs, r.group) for r in odd.itertuples()} == {
        ("x1", "b"),
        ("x2", "c"),
        ("x3", "d"),
    }
    assert (odd["estimate"] < odd["average"]).all()


def test_two_factors_are_aligned_each(
    differing: pd.DataFrame, found: Alignment
) -> None:
    rng = np.random.default_rng(9)
    data = differing.copy()
    for k in range(3):
        data[f"y{k}"] = 0.5 * data["x0"] + rng.normal(size=len(data))
    both = alignment(f"{MODEL}\nh =~ y0 + y1 + y2", data, "g")
    assert both.search["factor"].tolist() == ["f", "h"]
    assert len(both.differences) == 2 * 10
    first = both.means[both.means["factor"] == "f"]["mean"]
    np.testing.assert_allclose(first, found.means["mean"], atol=0.05)
    assert "means of h" in both.summary()


def test_tables_and_figure(found: Alignment) -> None:
    tidy = found.tidy()
    assert len(tidy) == 5 + 5 + 50
    row = tidy[(tidy["lhs"] == "f") & (tidy["op"] == "~1") & (tidy["group"] == "d")]
    assert row["estimate"].item() == found.means.set_index("group").loc["d", "mean"]
    assert row["p_value"].item() < 0.001
    gaps = found.differences.set_index(["group", "other"])
    means = found.means.set_index("group")
    assert gaps.loc[("d", "b"), "estimate"] == pytest.approx(
        means.loc["d", "mean"] - means.loc["b", "mean"]
    )
    assert gaps.loc[("d", "a"), "std_error"] == pytest.approx(means.loc["d", "mean_se"])
    assert found.glance()["n_optima"].item() == 1
    assert "5 of 50" in found.summary()
    assert found.warnings.empty
    axes = found.plot(labels={"a": "Alpha"})
    assert "n = 4,000" in axes.get_xlabel()
    assert "Alpha" in [t.get_text() for t in axes.get_yticklabels()]
    mpl.pyplot.close("all")


def test_the_reference_sets_zero_and_unit(differing: pd.DataFrame) -> None:
    other = alignment(MODEL, differing, "g", reference="d").means.set_index("group")
    assert (other.loc["d", "mean"], other.loc["d", "variance"]) == (0.0, 1.0)
    assert abs(other.loc["a", "mean"] + 0.6 / 1.1) < 3 * other.loc["a", "mean_se"]


def test_much_noninvariance_is_named() -> None:
    data = groups(800, 31)
    rng = np.random.default_rng(2)
    items = [f"x{k}" for k in range(5)]
    for group in "bcde":
        here = data["g"] == group
        data.loc[here, items] *= np.exp(0.4 * rng.normal(size=5))
        data.loc[here, items] += rng.normal(size=5)
    aligned = alignment(MODEL, data, "g")
    assert "much non-invariance" in aligned.warnings["what"].tolist()
    assert "25%" in aligned.warnings["remedy"].iloc[0]
    assert "much non-invariance" in aligned.summary()


def test_free_means_of_equal_loadings_are_called_vague() -> None:
    aligned = alignment(MODEL, groups(400, 41, names="ab"), "g", kind="free")
    assert "zero hardly determined" in aligned.warnings["what"].tolist()


def test_agreement_by_hand() -> None:
    values = np.array([1.0, 1.02, 0.98, 1.5])
    covariance = np.diag(np.full(4, 0.03**2))
    n_obs = np.array([100.0, 100.0, 200.0, 100.0])
    result = agreement(values, covariance, n_obs)
    assert result.holds.tolist() == [True, True, True, False]
    assert result.average == pytest.approx((1.0 + 1.02 + 2 * 0.98) / 4)
    # The group outside is compared with an average whose variance is .03^2 (6 / 16).
    z = (1.5 - 0.995) / (0.03 * np.sqrt(1 + 6 / 16))
    assert z > 10
    assert result.p_values[3] < 1e-10
    # .98 and 1.10 differ at .01, but a third group links them; at .001 none is out.
    chain = agreement(np.array([0.98, 1.04, 1.10]), covariance[:3, :3], n_obs[:3])
    assert chain.holds.all()
    apart = agreement(np.array([0.0, 5.0, 0.0, 5.0]), covariance, n_obs)
    assert apart.holds.tolist() == [True, False, True, False]


def test_r_squared_by_hand() -> None:
    configural = np.array([1.0, 2.0, 3.0])
    assert r_squared(configural, configural + 4) == pytest.approx(1.0)
    assert r_squared(configural, np.zeros(3)) == pytest.approx(0.0)
    assert r_squared(configural, np.array([1.0, 2.0, 2.0])) == pytest.approx(2 / 3)
    assert np.isnan(r_squared(np.ones(3), configural))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"group": None}, "needs data and group="),
        ({"kind": "fre"}, "kind='fre'"),
        ({"reference": "z"}, "there is no group 'z' to be the reference"),
        ({"epsilon": 0.0}, "epsilon=0.0 is not above 0"),
        ({"n_starts": 0}, "n_starts=0 is no start"),
        ({"model": "f =~ x0 + x1 + x2\nh =~ x2 + x3 + x4"}, "x2 measures several"),
        ({"model": "f =~ x0 + x1 + x2\nh =~ 1*x3"}, "h has one item"),
        ({"model": "f =~ x0 + x1 + x2\nf ~ x3"}, "explains a variable by another"),
        ({"model": "f =~ a*x0 + x1 + x2"}, "is held equal in the groups"),
    ],
)
def test_what_cannot_be_aligned(
    differing: pd.DataFrame, options: dict[str, Any], words: str
) -> None:
    arguments: dict[str, Any] = {"model": MODEL, "group": "g"} | options
    model, group = arguments.pop("model"), arguments.pop("group")
    with pytest.raises(AnalysisError, match=words):
        alignment(model, differing[differing["g"] < "d"], group, **arguments)


def test_fits_that_cannot_be_aligned(differing: pd.DataFrame) -> None:
    with pytest.raises(AnalysisError, match="has one group only"):
        alignment(cfa(MODEL, differing))
    equal = cfa(MODEL, differing, group="g", group_equal=["loadings"])
    with pytest.raises(AnalysisError, match="is held equal in the groups"):
        alignment(equal)
    with pytest.raises(AnalysisError, match="has no means"):
        alignment(cfa(MODEL, differing, group="g", meanstructure=False))
    fit = cfa(MODEL, differing, group="g")
    with pytest.raises(AnalysisError, match="given together with data"):
        alignment(fit, differing, "g")


def test_binary_items_are_aligned_by_their_one_threshold() -> None:
    data = groups(1500, 3, shift=0.6, names="abcd")
    items = [f"x{k}" for k in range(5)]
    data[items] = (data[items] > 0.3).astype(int)
    aligned = alignment(MODEL, data, "g", ordered=True)
    for row in aligned.means.iloc[1:].itertuples():
        assert abs(row.mean - MEANS[row.group]) < 3 * row.mean_se
    first = invariance(MODEL, data, "g", ordered=True).fit("configural")
    np.testing.assert_allclose(
        alignment(first).means["mean"], aligned.means["mean"], atol=1e-4
    )


def test_an_optimum_that_is_not_determined_has_no_standard_errors(
    found: Alignment,
) -> None:
    """Loadings that are equal to the last digit leave a free mean anywhere."""
    pattern, given, n_obs = by_hand()
    task = Task(pattern, given, pair_weights(n_obs), 0.01, directions(2, "free", 0))
    units = best_alignment(task, 3, np.random.default_rng(1)).units
    identity = np.eye(len(given))
    flat = align(task, units, 0, identity, identity)
    assert np.isnan(flat.covariance).all()
    unknown = replace(found, parameters=found.parameters.assign(p_value=np.nan))
    assert np.isnan(unknown.noninvariance)
    assert "Invariance was not tested" in unknown.summary()
