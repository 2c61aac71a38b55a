"""Tables like those that people have, made up by a seed, and the way from one to a proposal."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from functions.core.dataset import read_here
from sml.init.making import Made, Wish, make
from sml.init.proposal import Proposal, propose
from sml.init.target import Target
from sml.init.written import contract_of


def csv_of(header: Sequence[str], rows: Sequence[Sequence[Any]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def json_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def penguins(count: int = 180) -> bytes:
    """Three classes, told apart by lengths; gaps in numbers and in a category; a date that training cannot use."""
    draw = random.Random(1)  # noqa: S311 - a table, and no secret
    bills = {"Adelie": (38, 18), "Chinstrap": (49, 18), "Gentoo": (47, 15)}
    rows = []
    for at in range(count):
        species = draw.choice(list(bills))
        length, depth = (round(draw.gauss(mean, 2), 1) for mean in bills[species])
        mass = "NA" if draw.random() < 0.04 else round(draw.gauss(5100 if species == "Gentoo" else 3700, 300))
        sex = draw.choice(["male", "female", "female", ""])
        island = draw.choice(["Biscoe", "Dream"])
        rows.append([at + 1, species, island, length, depth, mass, sex, f"2007-11-{at % 28 + 1:02}"])
    header = ["rowid", "species", "island", "bill length (mm)", "bill_depth_mm", "body_mass_g", "sex", "observed"]
    return csv_of(header, rows)


def orders(count: int = 600) -> bytes:
    """Dates, a short text, a category with rare values, and one of very many."""
    draw = random.Random(7)  # noqa: S311
    words = ("the box was late", "arrived all well", "left at the door", "not as it was described", "very quick")
    rows = []
    for at in range(count):
        late = draw.random() < 0.4
        remark = f"{words[0] if late else draw.choice(words[1:])} and {draw.choice(words)}"
        carrier = f"van {at}" if at % 100 == 0 else draw.choice(["rail", "road", "sea"])
        ordered = f"{1 + at % 28}.{1 + at % 12:02}.{2024 + at % 2}"
        returned = "yes" if late != (draw.random() < 0.1) else "no"
        sent = f"2026-0{1 + at % 6}-11T{at % 24:02}:30:00Z"
        rows.append([ordered, sent, f"{remark}, box {at % 97}", carrier, f"town{at % 55}", returned])
    return csv_of(["ordered", "sent", "remark", "carrier", "town", "returned"], rows)


def titanic(count: int = 240) -> bytes:
    """Names, tickets and cabins that are no categories; a number and a category with many gaps."""
    draw = random.Random(2)  # noqa: S311
    rows = []
    for at in range(count):
        sex, ticket_class = draw.choice(["male", "female"]), draw.randint(1, 3)
        survived = int(draw.random() < (0.8 if sex == "female" else 0.15) - 0.1 * (ticket_class - 2))
        age = "" if draw.random() < 0.2 else draw.choice([*range(1, 80), 28.5])
        cabin = f"C{at}" if draw.random() < 0.2 else ""
        name, ticket = f"Braund, Mr. Owen {at}", f"A/5 {draw.randint(10_000, 99_999)}"
        rows.append([at + 1, survived, ticket_class, name, sex, age, draw.randint(0, 4), ticket, cabin])
        rows[-1] += [round(draw.random() * 90, 4), draw.choice(["S", "C", "Q", ""])]
    header = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Ticket", "Cabin", "Fare", "Embarked"]
    return csv_of(header, rows)


def churn(count: int = 240, *, leak: bool = False) -> bytes:
    """Yes and No, blanks for numbers, unique customers; `leak` adds a column that is written down afterwards."""
    draw = random.Random(3)  # noqa: S311
    rows = []
    for at in range(count):
        tenure, contract = draw.randint(0, 72), draw.choice(["Month-to-month", "One year", "Two year"])
        left = draw.random() < 1 / (1 + math.exp(tenure / 12 - 2 - 2 * (contract == "Month-to-month")))
        charges = " " if draw.random() < 0.05 else round(20 + draw.random() * 80, 2)
        answer = "Yes" if left else "No"
        rows.append([f"{draw.randint(1000, 9999)}-VHVE{at}", draw.randint(0, 1), tenure, contract, charges])
        rows[-1] += [*([answer] if leak else []), answer]
    header = ["customerID", "SeniorCitizen", "tenure", "Contract", "MonthlyCharges"]
    return csv_of([*header, *(["refunded"] if leak else []), "Churn"], rows)


def houses(count: int = 160) -> bytes:
    """A price to predict, last and by its name: from an area, a district and rooms, with gaps and an outlier."""
    draw = random.Random(5)  # noqa: S311
    premium = {"north": 0, "south": 40, "west": 90}
    rows = []
    for at in range(count):
        area, district, rooms = draw.randint(28, 140), draw.choice(list(premium)), draw.choice([1, 2, 3, 4, 0])
        price = round(area * 9.5 + premium[district] + 12 * (rooms or 2) + draw.gauss(0, 25), 1)
        rows.append([f"H{at:04}", area, district, rooms or "", price * (3 if at == 7 else 1)])
    return csv_of(["house_id", "living_area", "district", "rooms", "price"], rows)


def classes(found: Proposal) -> tuple[str, ...]:
    """Return the classes of a proposal."""
    assert isinstance(found.target, Target)
    return found.target.classes


def staff(count: int = 160, encoding: str = "utf-8") -> bytes:
    """Semicolons, decimal commas and umlauts, as a German spreadsheet writes them, with a row of totals."""
    draw = random.Random(4)  # noqa: S311
    lines = ["Alter;Gehalt;Ort;Status"]
    for _ in range(count):
        age, pay = draw.randint(20, 60), 2000 + draw.random() * 4000
        status = "ja" if pay + 30 * age + draw.gauss(0, 300) > 5200 else "nein"
        lines.append(f"{age};{f'{pay:.2f}'.replace('.', ',')};{draw.choice(['Köln', 'Bonn'])};{status}")
    return "\n".join([*lines, "Total;640000,50;;", ""]).encode(encoding)


def proposal(data: bytes, folder: Path, target: str | None = None, name: str = "data.csv") -> Proposal:
    file = folder / name
    file.write_bytes(data)
    return propose("trial", file, read_here.open_rows, contract_of, target)


def becomes(found: Proposal) -> dict[str, str]:
    """What each column becomes, by its name."""
    return {column.name: column.becomes for column in found.columns}


def made(data: bytes, folder: Path, **wish: Any) -> Made:
    """Write a model for a table into `folder`/models, beside the files of stacks."""
    file = folder / "data.csv"
    file.write_bytes(data)
    fields: dict[str, Any] = {"model": "trial", "table": file, **wish}
    return make(
        Wish(**fields),
        models=folder / "models",
        root=folder,
        read=read_here.open_rows,
    )
