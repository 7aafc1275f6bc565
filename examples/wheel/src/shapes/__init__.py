"""Shapes."""

from shapes.area import disc, total

__all__ = ["disc", "total"]
