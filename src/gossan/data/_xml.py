"""XML from strangers: a document type, in which entities are declared, is refused unread.

Bytes of an XML file come in; nothing, or a ValueError, goes out. Entities can blow a few bytes up
to gigabytes or name other files; no format that gossan reads needs them.
"""

from __future__ import annotations

from xml.parsers import expat

_MOST_BEFORE_ROOT = 1_000_000  # bytes of comments before the first element


class _RootReachedError(Exception):
    """The first element was met: all that may declare entities has been seen."""


def refuse_document_type(data: bytes) -> None:
    """Raise if a document type stands before the first element; damage is left to the parser.

    Examples
    --------
    >>> refuse_document_type(b"<a/>")
    >>> refuse_document_type(b'<!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>')
    Traceback (most recent call last):
        ...
    ValueError: it holds a document type, in which entities are declared; no sound file needs one
    """
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError(
            "it holds a document type, in which entities are declared; no sound file needs one"
        )

    def stop(*_: object) -> None:
        raise _RootReachedError

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = stop
    try:
        parser.Parse(data[:_MOST_BEFORE_ROOT], False)
    except (_RootReachedError, expat.ExpatError):
        return
    if len(data) > _MOST_BEFORE_ROOT:
        raise ValueError("it holds no element in its first million bytes")
