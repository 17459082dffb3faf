"""Products, blocks of groups, named rows, extremes and circles against lavaan.

See sem_language.R; what is compared, and how near, stands in conftest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from conftest import Parity

REFERENCES = ("sem_language",)


def test_same_respondents(parity: Parity) -> None:
    assert parity.fit.n_obs == np.sum(parity.case["n"])


def test_same_parameters(parity: Parity) -> None:
    parity.require_same_parameters()


def test_same_measures(parity: Parity) -> None:
    parity.require_same_measures()


def test_same_r_squared(parity: Parity) -> None:
    parity.require_same_r_squared()
