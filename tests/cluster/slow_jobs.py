"""Work that notes in a file when it begins and ends, so that a test can kill a worker in between."""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

PAUSE = 0.25  # s of each job: time to be killed in


class Diary:
    """A file that all processes append to."""

    def __init__(self, path):
        self.path = str(path)

    def note(self, word):
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(f"{word} {os.getpid()}\n")

    def job(self):
        """Note the begin of a job, let time pass, and note its end."""
        self.note("begin")
        time.sleep(PAUSE)
        self.note("end")

    def counts(self):
        """Return how often jobs began and ended, by process."""
        if not Path(self.path).exists():
            return Counter(), Counter()
        text = Path(self.path).read_text(encoding="utf-8")
        words = [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return tuple(
            Counter(int(pid) for own, pid in words if own == word) for word in ("begin", "end")
        )


class Killer(threading.Thread):
    """Kills, once some jobs are done, a process that is in the middle of one."""

    def __init__(self, diary, after=3):
        super().__init__(daemon=True)
        self.diary, self.after, self.victim = diary, after, None

    def run(self):
        end = time.monotonic() + 60
        while self.victim is None and time.monotonic() < end:
            begun, ended = self.diary.counts()
            busy = [pid for pid in begun if begun[pid] > ended[pid] and pid != os.getpid()]
            if sum(ended.values()) >= self.after and busy:
                self.victim = busy[0]
                os.kill(self.victim, signal.SIGKILL)
            time.sleep(0.01)


def square(base, number):
    """Return the square of a number and of an array that all share."""
    return base + number**2


def noted_square(diary, base, number):
    diary.job()
    return base + number**2


def total(base, block):
    return float((base + block).sum())


def flags(things, word, number):
    """Tell whether arrays are writeable, aligned, and in the order of C."""
    return [(a.flags.writeable, a.flags.aligned, a.flags.c_contiguous) for a in things]


def fail(number):
    raise ValueError(f"Block {number} is odd. Take another.")


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path, number):
    """Kill the process, but only the first time that any worker does the job."""
    mark = Path(f"{path}-{number}")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


class NotedKriging:
    """An estimator that notes each block it is asked for."""

    def __init__(self, inner, diary):
        self.inner, self.diary = inner, diary

    def predict(self, X, **options):
        if self.diary is not None and len(X) > 1:  # one cell is asked for to count the layers
            self.diary.job()
        return self.inner.predict(X, **options)


class NotedMap:
    """A map estimator, of raw layers, that notes each tile."""

    field_ = 3
    names_ = ("Cu", "Li")
    classes_ = np.array([0, 1])

    def __init__(self, diary=None):
        self.diary = diary

    def score_map(self, volume, *, edges="nan", return_std=False):
        if self.diary is not None:
            self.diary.job()
        score = np.tanh(volume[0] - 0.3 * volume[1]).astype(np.float32)
        return (score, score / 10) if return_std else score


class NotedClassifier(ClassifierMixin, BaseEstimator):
    """Logistic regression on half of the rows, drawn by its seed, that notes each fit."""

    def __init__(self, diary=None, random_state=0):
        self.diary, self.random_state = diary, random_state

    def fit(self, X, y):
        if self.diary is not None:
            self.diary.job()
        flat = np.reshape(X, (len(X), -1))
        drawn = np.random.default_rng(self.random_state).permutation(len(flat))[: len(flat) // 2]
        rows = np.union1d(drawn, np.unique(y, return_index=True)[1])  # of each class at least one
        self.inner_ = LogisticRegression().fit(flat[rows], np.asarray(y)[rows])
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(np.reshape(X, (len(X), -1)))


class ManyAtOnce(NotedClassifier):
    """The same, fitted many at once; it notes each call."""

    def fit_many(self, X, y, members, groups=None):
        if self.diary is not None:
            self.diary.note(f"call{len(members)}")
        return [
            NotedClassifier(random_state=seed).fit(X[train], y[train]) for train, seed in members
        ]
