"""The tables of docs/reliability.md, from the counts that `make soak` leaves in paper/results."""

import re
from collections import defaultdict


from oaml.files import CHECKOUT, write_text
from oaml.reading import read_json, read_text

PAGE, RESULTS = CHECKOUT / "docs" / "reliability.md", CHECKOUT / "paper" / "results"


def rows_of(head: list[str], rows: list[list]) -> str:
    "A Markdown table; numbers to the right."
    shown = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in rows]
    rule = ["---" if isinstance(x, str) else "---:" for x in rows[0]]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *shown))


def soak_table(told: dict) -> str:
    "Inputs of every reader, and what came of them."
    bad = [key for key in told["readers"][0] if key not in ("reader", "inputs", "read", "refused")]
    rows = [[r["reader"], r["inputs"], r["read"], r["refused"], *(r[k] for k in bad)] for r in told["readers"]]
    total = ["**all**", *(sum(row[k] for row in rows) for k in range(1, 4 + len(bad)))]
    text = f"{total[1]:,} inputs, seed {told['seed']}, {told['seconds'] / 60:.0f} minutes on two cores:"
    again = f"\n\n{told['again']}" if "again" in told else ""
    return f"{text}\n\n{rows_of(['reader', 'inputs', 'read', 'refused', *bad], [*rows, total])}{again}"


def faults_table(told: dict) -> str:
    "Faults of every workload, and how many left something else than an undisturbed run."
    counts, failed = defaultdict(dict), sum(r["failed"] for r in told["faults"])
    for r in told["faults"]:
        counts[r["workload"]][r["fault"]] = r["count"]
    kinds = sorted({r["fault"] for r in told["faults"]})
    rows = [[work, *(found.get(kind, 0) for kind in kinds)] for work, found in counts.items()]
    some = "".join(f" Skipped: {said} ({n})." for said, n in told["skipped"].items())
    text = f"{sum(r['count'] for r in told['faults'])} faults, seed {told['seed']}: {failed} failed.{some}"
    return f"{text}\n\n{rows_of(['workload', *kinds], rows)}"


def page() -> str:
    "The page with its tables."
    text = read_text(PAGE)
    for name, table in (("soak", soak_table), ("faults", faults_table)):
        told = table(read_json(RESULTS / f"{name}.json"))
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, told=told: f"{m[1]}{told}\n{m[2]}", text, flags=re.S
        )
    return text


if __name__ == "__main__":
    write_text(PAGE, page())
