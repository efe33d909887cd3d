"""The tables of docs/benchmarks.md, from what `make bench` leaves in paper/results."""

import re

from oaml.benchmarks.bars import bars_page
from oaml.files import CHECKOUT, write_text
from oaml.reading import read_json, read_text

BENCH_PAGE, BARS = CHECKOUT / "docs" / "benchmarks.md", CHECKOUT / "paper" / "results" / "bars.json"


def bench_page() -> str:
    "The page with its tables."
    told = bars_page(read_json(BARS, "bars", "measured"))
    return re.sub(
        r"(<!-- bars -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{told}\n{m[2]}", read_text(BENCH_PAGE), flags=re.S
    )


if __name__ == "__main__":
    write_text(BENCH_PAGE, bench_page())
