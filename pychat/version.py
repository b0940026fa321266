"""The version number: its one place, below all layers, because the languages tell it, too."""

__version__ = "0.1.0"
