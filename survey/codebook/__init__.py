"""The documentation of an instrument, made from the instrument alone.

`write` makes a page (HTML), the same as Markdown, and a table (CSV) with a row for each
variable; `frame` is that table. Reading order: `variables` (the table), `content`
(what the page says, without its looks), `documents` (the files), ``templates/``.
"""

from survey.codebook.documents import write
from survey.codebook.variables import frame

__all__ = ["frame", "write"]
