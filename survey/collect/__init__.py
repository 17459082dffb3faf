"""Bring people's answers in, from wherever they were given.

One module a source, each with ``read(source, instrument) -> RawResponses``; sources
never meet. `tabular` reads plain tables. Reading order below it: `mapping` (what the
user says about a file), `delimited`, `workbook` and `columnar` (one kind of file each,
all to `table`), `matching` (columns to items), `recode` (cells), `report`.
"""

from survey.collect import tabular

__all__ = ["tabular"]
