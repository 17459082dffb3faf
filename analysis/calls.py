"""Packages that may be called like the function they are named after."""

from __future__ import annotations

import sys
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class _Named(ModuleType):
    """A package whose chief function has its name."""

    _function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function
        """Call the function of the package's name."""
        return self._function(*args, **kwargs)


def name_after(package: str, function: Callable[..., Any]) -> None:
    """Let ``from analysis import sem`` be called as ``analysis.sem.sem`` is.

    Parameters
    ----------
    package
        Name of the package, ``__name__`` in its ``__init__``.
    function
        What a call of the package calls.
    """
    module = sys.modules[package]
    module.__class__ = _Named
    module._function = function  # type: ignore[attr-defined]  # noqa: SLF001
    # So that editors and notebooks show the options.
    module.__signature__ = signature(function)  # type: ignore[attr-defined]
    called = f"{function.__name__}{signature(function)}"
    module.__doc__ = (
        f"{module.__doc__}\n\nCalled, it is:\n\n{called}\n\n{function.__doc__}"
    )
