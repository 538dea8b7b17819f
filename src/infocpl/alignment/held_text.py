"""The text of a label set as part of a module, so that it follows it from device to device."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from infocpl.alignment.base import TextTable

__all__ = ["HeldText"]


class HeldText(nn.Module):
    """A text table whose tensors go with the module that holds it, and are not part of its state.

    Parameters
    ----------
    text : C labels

    Examples
    --------
    >>> import torch
    >>> text = TextTable(("a",), torch.ones(1, 2, 3), torch.ones(1, 2, dtype=torch.bool),
    ...                  torch.ones(1, 3), torch.ones(1, 3))
    >>> held = HeldText(text).double()
    >>> held.table().motion.dtype, held.table().mask.dtype, len(held.state_dict())
    (torch.float64, torch.bool, 0)
    """

    def __init__(self, text: TextTable) -> None:
        super().__init__()
        for name, value in vars(text).items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value, persistent=False)
        self._given = text
        self._table: TextTable | None = text

    def table(self) -> TextTable:
        """The table, on the device where the module is."""
        if self._table is None:
            moved: dict[str, Any] = dict(self.named_buffers())
            self._table = dataclasses.replace(self._given, **moved)
        return self._table

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> HeldText:
        # Every move and change of type comes by here. The table is made anew when it is asked for
        # and not at every step: making one looks at its numbers, for which a device must wait.
        self._table = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self
