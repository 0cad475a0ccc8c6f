"""Estimators with torch, loaded only when one is asked for.

Tables of shape (n, features), neighbour sequences of shape (n, steps, channels), windows of shape
(n, channels, size, size) or patches of shape (n, channels, side, side, side) come in; class
probabilities, predictive distributions or scores of what is normal go out.
"""

from gossan._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "dense": ["DenseClassifier"],
        "neighbour_rnn": ["NeighbourRegressor"],
        "autoencoder": ["DeepAutoencoder"],
        "student_teacher": ["StudentTeacherDetector"],
        "window_cnn": ["WindowCNN"],
        "window_pretext": ["plant_haloes", "pretrain_windows"],
        "pretext": ["PretextClassifier"],
    },
)
