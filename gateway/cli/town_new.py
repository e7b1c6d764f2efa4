"""`gateway town new NAME`: a new town's folder, recorded messages and its two lines, made from the invented example."""

from __future__ import annotations

import re
from pathlib import Path

import click

from schemas.errors import ConflictError, InvalidError

EXAMPLE = "shili_invented"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*").fullmatch
IMPORTS = re.compile(r"(?:^from (?:adapters|schemas)\S* import [^(\n]+\n)+", re.MULTILINE)
TEXT = (".py", ".yaml", ".md", ".json")


@click.command()
@click.argument("name")
@click.option("--name-zh", required=True, help="what the platform is called: 沥家园")
@click.option("--name-en", required=True, help="the same in English")
@click.option("--place-zh", required=True, help="the town: 瓜沥镇")
@click.option("--place-en", required=True, help="the same in English")
@click.option("--division-code", default="", help="of the town, nine digits; absent: not known yet")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="the checkout [.]",
)
def new(
    name: str, name_zh: str, name_en: str, place_zh: str, place_en: str, division_code: str, root: Path
) -> None:
    """Make adapters/NAME from the example, a town that passes the suite; then change its words to yours."""
    _refuse(name, division_code, root)
    camel = "".join(part.capitalize() for part in name.split("_"))
    profile = {
        "示例积分（虚构）": name_zh,
        "Shili points (invented)": name_en,
        "虚构镇": place_zh,
        '"Nowhere"': f'"{place_en}"',
        "division_code=None": f'division_code="{division_code}"' if division_code else "division_code=None",
        "    invented=True,\n": "",
    }
    words = {
        **profile,
        "示例积分 (Shili points): an invented town, written with the kit as a vendor's engineer would. No town runs it.":
            f"{name_zh} ({name_en}): the points platform of {place_zh}.",
        " Invented: no town runs it.": "",
        EXAMPLE: name,
        "Shili": camel,
    }  # fmt: skip
    made = [
        *_copy(root / "adapters" / EXAMPLE, root / "adapters" / name, words),
        *_copy(root / "tests/contract/recorded" / EXAMPLE, root / "tests/contract/recorded" / name, words),
    ]
    _add_lines(root, name)
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in made)
    for path in made:
        print(path.relative_to(root))
    print(f"{len(made)} files, {lines} lines; and a line each in adapters/registry.py and setup.cfg")
    print("now: change wire.py and mapping.py to your words, record your messages, and run")
    print(f"  pytest tests/contract/test_scenarios.py -k {name}      see docs/adding-a-town.md")


def _refuse(name: str, division_code: str, root: Path) -> None:
    if not NAME(name) or len(name) > 32:
        raise InvalidError(
            "a town's code is small letters, digits and single underscores, at most 32",
            where="NAME",
            value=name,
        )
    if division_code and not re.fullmatch(r"[1-9][0-9]{8}", division_code):
        raise InvalidError(
            "a town's division code has nine digits", where="--division-code", value=division_code
        )
    if not (root / "adapters" / EXAMPLE / "check.py").is_file() or not (root / "setup.cfg").is_file():
        raise InvalidError(
            "this is no checkout of the gateway",
            where=str(root),
            remedy="run it at the top of one, or give --root",
        )
    if (root / "adapters" / name).exists():
        raise ConflictError(
            "there is an adapter of this name", where=f"adapters/{name}", remedy="choose another"
        )


def _copy(source: Path, target: Path, words: dict[str, str]) -> list[Path]:
    """The files of a folder with some words replaced, longest first."""
    made = []
    for path in sorted(source.rglob("*")):
        if path.suffix not in TEXT or "__pycache__" in path.parts:
            continue
        text = path.read_text("utf-8")
        for old in sorted(words, key=len, reverse=True):
            text = text.replace(old, words[old])
        if path.suffix == ".py":
            text = IMPORTS.sub(_sorted, text)
        written = target / path.relative_to(source)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text, "utf-8")
        made.append(written)
    return made


def _sorted(block: re.Match[str]) -> str:
    """Imports in order again: the new name may come elsewhere in the alphabet."""
    return "".join(sorted(block[0].splitlines(keepends=True)))


def _add_lines(root: Path, name: str) -> None:
    """One line in the registry (and its name in the import above), one in the contract that keeps towns apart."""
    registry = root / "adapters" / "registry.py"
    text = registry.read_text("utf-8")
    imported = re.search(r"^from adapters import (.+)$", text, re.MULTILINE)
    entry = f'    TownCode("{EXAMPLE}"): {EXAMPLE},\n'
    if imported is None or entry not in text:
        raise InvalidError(
            "the registry does not look as expected", where=str(registry), remedy="add the line by hand"
        )
    names = ", ".join(sorted({*imported[1].split(", "), name}))
    text = text.replace(imported[0], f"from adapters import {names}")
    registry.write_text(text.replace(entry, f'{entry}    TownCode("{name}"): {name},\n'), "utf-8")
    contracts = root / "setup.cfg"
    line = f"    adapters.{EXAMPLE}\n"
    contracts.write_text(
        contracts.read_text("utf-8").replace(line, f"{line}    adapters.{name}\n", 1), "utf-8"
    )
