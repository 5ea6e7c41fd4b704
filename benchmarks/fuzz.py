"""Made tables of any kind through fit, sample and report: what raises anything but a `TabganError`, each place once.

python benchmarks/fuzz.py [EXAMPLES] [SEED]
"""

from __future__ import annotations

import collections
import importlib.util
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

TESTS = Path(__file__).resolve().parent.parent / "tests" / "test_fuzz.py"
_SPEC = importlib.util.spec_from_file_location("test_fuzz", TESTS)
fuzz = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz)


def main() -> None:
    examples, first = (int(each) for each in [*sys.argv[1:], "500", "0"][:2])
    ends: collections.Counter[str] = collections.Counter()
    start = time.monotonic()

    @seed(first)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(fuzz.tables(), st.sampled_from(list(fuzz.KINDS)))
    def run(table: pa.Table, kind: str) -> None:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                end = fuzz.whole_way(table, kind, Path(folder)).replace(folder, "")
            except Exception as error:
                site = [each for each in traceback.extract_tb(error.__traceback__) if "site-packages" not in each[0]][
                    -1
                ]
                end = f"FAILED {type(error).__name__} at {Path(site.filename).name}:{site.lineno}"
                if end not in ends:
                    print(end, kind, str(error)[:300], table.schema.to_string()[:300], sep="\n  ", flush=True)
                    traceback.print_exc(limit=-6, file=sys.stdout)
        ends[end[:90]] += 1
        if sum(ends.values()) % 50 == 0:
            print(f"{sum(ends.values())} examples, {time.monotonic() - start:.0f} s", flush=True)

    run()
    for end, times in ends.most_common():
        print(f"{times:5d}  {end}")
    sys.exit(any(end.startswith("FAILED") for end in ends))


if __name__ == "__main__":
    main()
