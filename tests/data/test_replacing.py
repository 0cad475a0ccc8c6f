"""What is replaced is replaced whole, or stays as it was: files and folders alike."""

import pytest

from gossan.data._replacing import replacing


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_old_one_stays_if_the_new_cannot_take_its_place(tmp_path, monkeypatch, kind):
    target = tmp_path / "grid"
    if kind == "file":
        target.write_text("old")
    else:
        target.mkdir()
        (target / "part").write_text("old")

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", broken)
    with pytest.raises(OSError, match="disk full"), replacing(target) as fresh:
        fresh.write_text("new") if kind == "file" else fresh.mkdir()
    found = target if kind == "file" else target / "part"
    assert found.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_takes_the_place_of_a_folder(tmp_path):
    target = tmp_path / "grid"
    target.mkdir()
    (target / "old").touch()
    with replacing(target) as fresh:
        fresh.mkdir()
        (fresh / "new").touch()
    assert [file.name for file in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="There is no folder"),
        replacing(tmp_path / "a" / "b"),
    ):
        pass
