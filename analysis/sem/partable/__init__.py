"""The parameter table: everything a model estimates or holds fixed.

Read in this order: `table` (the rows), `defaults` (what lavaan's ``cfa()`` and
``sem()`` add to a model), `constraints` (labels and ``==``).
"""

from analysis.sem.partable.constraints import Reparameterisation, reparameterise
from analysis.sem.partable.defaults import Options, complete
from analysis.sem.partable.table import Parameter, ParameterTable

__all__ = [
    "Options",
    "Parameter",
    "ParameterTable",
    "Reparameterisation",
    "complete",
    "reparameterise",
]
