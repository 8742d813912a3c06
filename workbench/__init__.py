"""Workbench: load a model, probe it, explore the results in linked charts."""

__version__ = "0.1.0"
