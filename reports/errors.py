"""Everything that can be wrong with a report."""


class ReportError(Exception):
    """Base of all errors raised by this package; says place, value and remedy."""


class CatalogError(ReportError):
    """The catalog does not describe reports that can be built."""


class ParameterError(ReportError):
    """A notebook is asked for something it does not offer; raised before it runs."""
