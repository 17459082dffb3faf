"""Everything that can be wrong with an analysis."""


class AnalysisError(Exception):
    """Base of all errors raised by this package; says place, value and remedy."""


class ModelSyntaxError(AnalysisError):
    """The model description cannot be parsed; quotes the line and marks the place."""


class NotIdentifiedError(AnalysisError):
    """The model has parameters that the data cannot tell apart."""


class ConvergenceError(AnalysisError):
    """The optimiser stopped before reaching a minimum."""


class TooFewError(AnalysisError):
    """There are too few people, items or answers for what was asked."""
