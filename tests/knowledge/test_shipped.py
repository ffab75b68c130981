from pathlib import Path

import pytest

from knowledge.shipped import LIBRARY, LibraryError, load_library

GOOD = "---\nid: lesson-a\nkind: lesson\ntitle: 课\nrole: sales\nskills: [needs]\nsource: 自编\n---\n正文。\n"


def _write(root: Path, text: str, name: str = "lessons/a.md") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_front_matter_and_body_are_read(tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    (item,) = load_library(tmp_path)
    assert (item.id, item.role, item.skills, item.body) == ("lesson-a", "sales", ("needs",), "正文。")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("title: 课\n", ""), "title: Field required"),
        (GOOD.replace("role: sales", "role: boss"), "role:"),
        (GOOD.replace("source:", "colour: red\nsource:"), "colour: Extra inputs"),
        (GOOD.replace("kind: lesson", "kind: case"), "this folder holds 'lesson'"),
        (GOOD.replace("id: lesson-a", "id: ["), "not valid YAML"),
        ("正文。", "must start with front matter"),
        (GOOD.replace("正文。\n", ""), "body:"),
    ],
)
def test_a_malformed_file_is_named_with_its_fault(tmp_path: Path, text: str, problem: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(LibraryError) as error:
        load_library(tmp_path)
    assert str(path) in str(error.value)
    assert problem in str(error.value)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    _write(tmp_path, GOOD)
    _write(tmp_path, GOOD, "lessons/b.md")
    with pytest.raises(LibraryError, match=r"b\.md: id 'lesson-a' is already taken"):
        load_library(tmp_path)


def test_the_shipped_library_loads() -> None:
    assert {item.kind for item in load_library(LIBRARY)} <= {"case", "lesson", "regulation", "template"}
