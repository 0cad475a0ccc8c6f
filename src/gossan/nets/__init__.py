"""Estimators with torch, loaded only when one is asked for.

They take a table of shape (n, features) and class names, and give class probabilities.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"dense": ["DenseClassifier"]},
)
