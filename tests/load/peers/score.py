"""Scores members as the rules do, with Polars and with DuckDB, and says how long that takes.

    score.py MEMBERS.csv OUT ROUNDS

MEMBERS.csv: customer,last_order,orders,spent. A score is 1 + floor(5 * share of all that are strictly worse); who has got
back more than they paid scores 1 for money. What each peer comes to is written to OUT, for a comparison; the answer is one
line of JSON.
"""

import json
import statistics
import sys
import time

import duckdb
import polars as pl

MEMBERS, OUT, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
SCORES = """
    select customer,
        100 * (1 + 5 * (rank() over (order by last_order) - 1) // count(*) over ())
        + 10 * (1 + 5 * (rank() over (order by orders) - 1) // count(*) over ())
        + case when spent < 0 then 1
               else 1 + 5 * (rank() over (order by spent) - 1) // count(*) over () end as code
"""


def polars_scores(members):
    def score(column):
        return 1 + 5 * (pl.col(column).rank("min").cast(pl.Int64) - 1) // pl.len()

    money = pl.when(pl.col("spent") < 0).then(1).otherwise(score("spent"))
    code = 100 * score("last_order") + 10 * score("orders") + money
    return members.select("customer", code.alias("code"))


def median(work):
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def from_file():
    return polars_scores(pl.read_csv(MEMBERS)).write_csv(OUT + ".polars-file.csv")


members = pl.read_csv(MEMBERS)
polars_seconds, scored = median(lambda: polars_scores(members))
scored.write_csv(OUT + ".polars.csv")

connection = duckdb.connect()
connection.execute("create table members as select * from read_csv(?)", [MEMBERS])
query = f"create or replace table scored as {SCORES} from members"
duckdb_seconds, _ = median(lambda: connection.execute(query))
connection.execute(f"copy (select * from scored order by customer) to '{OUT}.duckdb.csv' (header)")

file_seconds, _ = median(from_file)
print(json.dumps({
    "polars": {"version": pl.__version__, "seconds": polars_seconds, "file_seconds": file_seconds},
    "duckdb": {"version": duckdb.__version__, "seconds": duckdb_seconds},
}))
