"""Write penguins.csv: measurements of three species of penguins, made up from rounded means and spreads."""

from __future__ import annotations

import csv
import random
import sys
from pathlib import Path

ROWS = 300
SPECIES = {
    "Adelie": (151, 38.8, 18.3, 190, 3700, ("Biscoe", "Dream", "Torgersen")),
    "Chinstrap": (68, 48.8, 18.4, 196, 3730, ("Dream",)),
    "Gentoo": (123, 47.5, 15.0, 217, 5075, ("Biscoe",)),
}
"""By species: how many of 342, means of bill length and depth and of flipper length in mm, of mass in g, islands."""
HEADER = (
    "sample_number",
    "island",
    "bill_length_mm",
    "bill_depth_mm",
    "flipper_length_mm",
    "body_mass_g",
    "sex",
    "species",
)


def rows() -> list[tuple[object, ...]]:
    """Return made-up penguins, a few of them with gaps."""
    chance = random.Random(7)  # noqa: S311 - made up, and the same each time
    found: list[tuple[object, ...]] = []
    for number in range(1, ROWS + 1):
        weights = [about[0] for about in SPECIES.values()]
        species = chance.choices(list(SPECIES), weights)[0]
        _, length, depth, flipper, mass, islands = SPECIES[species]
        measured: tuple[object, ...] = (
            round(chance.gauss(length, 2.8), 1),
            round(chance.gauss(depth, 1.0), 1),
            round(chance.gauss(flipper, 6.5)),
            25 * round(chance.gauss(mass, 420) / 25),
        )
        if chance.random() < 0.01:
            measured = ("", "", "", "")
        sex = chance.choice(("female", "male")) if chance.random() > 0.04 else ""
        found.append((number, chance.choice(islands), *measured, sex, species))
    return found


def main() -> None:
    """Write the table beside this file."""
    with (Path(__file__).parent / "penguins.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows())


if __name__ == "__main__":
    sys.exit(main())
