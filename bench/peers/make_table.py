"""`make_table.py FOLDER ROWS NAME...`: write a table of numbers by name and a class, as CSV and as Parquet."""

import sys
from pathlib import Path

import numpy as np
import polars as pl

folder, count, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
rng = np.random.default_rng(0)
x = rng.gamma(2.0, 20.0, size=(count, len(names))).round(5)
malignant = x @ rng.normal(size=len(names)) + rng.normal(scale=30.0, size=count) > 0
table = pl.DataFrame(x, schema=names).with_columns(diagnosis=pl.Series(np.where(malignant, "malignant", "benign")))
table.write_csv(folder / "rows.csv")
table.write_parquet(folder / "rows.parquet", compression="snappy")
