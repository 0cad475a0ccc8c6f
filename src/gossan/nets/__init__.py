"""Estimators with torch, loaded only when one is asked for.

Tables of shape (n, features) or neighbour sequences of shape (n, steps, channels) come in; class
probabilities or predictive distributions go out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"dense": ["DenseClassifier"], "neighbour_rnn": ["NeighbourRegressor"]},
)
