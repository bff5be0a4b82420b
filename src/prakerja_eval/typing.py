"""Names for the array types that the kernels speak."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
StringArray: TypeAlias = NDArray[np.object_]
CodeArray: TypeAlias = NDArray[np.integer[Any]]  # of any width
RealArray: TypeAlias = NDArray[np.floating[Any]]
