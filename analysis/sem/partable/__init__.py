"""The parameter table: everything a model estimates or holds fixed.

Read in this order: `table` (the rows), `defaults` (what lavaan's ``cfa()`` and
``sem()`` add to a model), `groups` (what is equal across groups), `values`,
`constraints` (labels, ``==``, ``<`` and ``>``).
"""

from analysis.sem.partable.constraints import (
    Reparameterisation,
    Restrictions,
    released,
    reparameterise,
)
from analysis.sem.partable.defaults import Options, complete, variables
from analysis.sem.partable.groups import Equal
from analysis.sem.partable.table import Parameter, ParameterTable

__all__ = [
    "Equal",
    "Options",
    "Parameter",
    "ParameterTable",
    "Reparameterisation",
    "Restrictions",
    "complete",
    "released",
    "reparameterise",
    "variables",
]
