"""Names for array types; shapes are stated where they are used."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Float1D: TypeAlias = npt.NDArray[np.float64]
Float2D: TypeAlias = npt.NDArray[np.float64]
Int1D: TypeAlias = npt.NDArray[np.int_]
Bool1D: TypeAlias = npt.NDArray[np.bool_]
