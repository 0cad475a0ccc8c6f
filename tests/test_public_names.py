"""Every public name exists, and its docstring documents what its signature shows."""

import importlib
import inspect
import pkgutil
import re
import types

import pytest

import gossan

# Rooms in the order of the work; the face lists them in this order.
WORKFLOW = (
    "datasets",
    "simulate",
    "data",
    "geochem",
    "geostat",
    "evidence",
    "sampling",
    "models",
    "nets",
    "saving",
    "validation",
    "prospectivity",
    "plot",
    "report",
    "cluster",
    "study",
)


def existing_rooms():
    """Return the rooms that are there, in the order of the work."""
    rooms = []
    for room in WORKFLOW:
        try:
            rooms.append(importlib.import_module(f"gossan.{room}"))
        except ModuleNotFoundError as error:
            if error.name != f"gossan.{room}":
                raise
    return rooms


def public_things():
    """Yield ('gossan.room.name', object) of each public function, class and value."""
    for room in existing_rooms():
        for name in getattr(room, "__all__", ()):
            yield f"{room.__name__}.{name}", getattr(room, name, None)


THINGS = dict(public_things())
CALLABLE = {
    name: thing
    for name, thing in THINGS.items()
    if inspect.isfunction(thing) or inspect.isclass(thing)
}
METHODS = {
    f"{name}.{key}": method
    for name, thing in CALLABLE.items()
    if inspect.isclass(thing)
    for key, method in vars(thing).items()
    if inspect.isfunction(method) and not key.startswith("_")
}
RESULTS = {"Returns", "Yields"}
SECTIONS = re.compile(r"^(\w[\w ]*)\n(-{3,})$", flags=re.MULTILINE)


def sections_of(thing):
    """Return the numpydoc sections of a docstring as a dictionary; '' is what precedes them."""
    text = inspect.cleandoc(thing.__doc__ or "")
    pieces = SECTIONS.split(text)
    return {"": pieces[0].strip()} | dict(zip(pieces[1::3], pieces[3::3], strict=True))


def documented_names(section):
    """Return the names before each ' : ' or alone at the left margin, stars and commas undone."""
    heads = [line for line in section.splitlines() if line and not line[0].isspace()]
    return {
        name.strip().lstrip("*")
        for head in heads
        for name in re.split(r"\s+:(?:\s|$)", head)[0].split(",")
    }


def parameters_of(thing):
    """Return the names of the parameters that a caller can give."""
    return [
        name
        for name in inspect.signature(thing).parameters
        if name not in {"self", "cls"} and not name.startswith("_")
    ]


def complaints_about(thing):
    """Return what a docstring lacks, as sentences; none if it is complete."""
    sections = sections_of(thing)
    if not sections[""]:
        return ["has no docstring"]
    complaints = []
    first = sections[""].splitlines()[0]
    if not first.endswith((".", "?", "!")):
        complaints.append(f"first line has no full stop: {first}")
    taken = parameters_of(thing)
    written = documented_names(sections.get("Parameters", ""))
    known = written | documented_names(sections.get("Attributes", ""))
    complaints += [f"parameter {name} is not documented" for name in taken if name not in known]
    complaints += [f"documents {name}, no parameter" for name in sorted(written - set(taken))]
    if inspect.isfunction(thing) and returns_something(thing) and not RESULTS & set(sections):
        complaints.append("returns something but has no section Returns")
    return complaints


def returns_something(function):
    """Tell whether the annotation promises a result other than None and self."""
    said = str(inspect.signature(function).return_annotation)
    return said not in {"None", "NoReturn", str(inspect.Signature.empty), str(type(None))}


def test_rooms_say_what_is_public():
    for room in existing_rooms():
        assert room.__all__, f"{room.__name__} has no __all__"
        assert len(room.__all__) == len(set(room.__all__))


def test_each_room_says_in_a_docstring_what_it_is_for():
    for room in [gossan, *existing_rooms()]:
        assert len((room.__doc__ or "").strip()) > 20, room.__name__


@pytest.mark.parametrize("name", THINGS)
def test_a_public_name_exists(name):
    assert THINGS[name] is not None


@pytest.mark.parametrize("name", CALLABLE)
def test_a_docstring_is_complete(name):
    assert complaints_about(CALLABLE[name]) == []


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_does_and_takes(name):
    thing = METHODS[name]
    assert sections_of(thing)[""], f"{name} has no docstring"
    if "Parameters" in sections_of(thing):
        assert complaints_about(thing) == []


@pytest.mark.parametrize("name", CALLABLE)
def test_a_signature_has_type_hints(name):
    thing = CALLABLE[name].__init__ if inspect.isclass(CALLABLE[name]) else CALLABLE[name]
    if not isinstance(thing, types.FunctionType):
        pytest.skip("built by Python")
    bare = [
        key
        for key, parameter in inspect.signature(thing).parameters.items()
        if parameter.annotation is parameter.empty and key not in {"self", "cls"}
    ]
    assert bare == []


def test_no_public_name_is_also_that_of_a_module_beside_it():
    for room in existing_rooms():
        if hasattr(room, "__path__"):
            modules = {info.name for info in pkgutil.iter_modules(room.__path__)}
            assert modules & set(room.__all__) == set(), room.__name__


def test_the_face_lists_rooms_and_names_in_the_order_of_the_work():
    rooms = [name for name in gossan.__all__ if isinstance(getattr(gossan, name), types.ModuleType)]
    assert rooms == [room.__name__.rpartition(".")[2] for room in existing_rooms()]
    assert gossan.__all__[: len(rooms)] == rooms
    order = [WORKFLOW.index(home_of(name)) for name in gossan.__all__[len(rooms) :]]
    assert order == sorted(order)


def home_of(name):
    """Return the room in which a name of the face is public."""
    homes = [full.split(".")[1] for full in THINGS if full.endswith(f".{name}")]
    assert len(homes) == 1, f"gossan.{name} is public in {homes or 'no room'}"
    return homes[0]


def test_dir_shows_what_is_public():
    assert set(gossan.__all__) <= set(dir(gossan))


# The guard itself can fail


def test_a_poor_docstring_is_caught():
    def ratio(front: float, tail: float) -> float:
        """Ratio of two things

        Parameters
        ----------
        front, side : float
            One of them.
        """
        return front / tail

    assert complaints_about(ratio) == [
        "first line has no full stop: Ratio of two things",
        "parameter tail is not documented",
        "documents side, no parameter",
        "returns something but has no section Returns",
    ]


def test_a_missing_docstring_is_caught():
    assert complaints_about(lambda x: x) == ["has no docstring"]
