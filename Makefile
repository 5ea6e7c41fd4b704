# make demo   fits, samples and reports on the sample table, from nothing to a page in ./demo
# make test   runs every check
# PYTHON=python3.12 picks another interpreter for .venv.

PYTHON ?= python3

# Threads that spin while they wait make training many times slower beside other work (the command sets this by itself).
export OMP_WAIT_POLICY ?= passive

.PHONY: demo test test-pandas3

demo: .venv/installed
	mkdir -p demo
	.venv/bin/tabgan fit sample_data/reviews.csv -o demo/reviews.tabgan --force
	.venv/bin/tabgan sample demo/reviews.tabgan -n 8000 -o demo/synthetic.csv --force
	.venv/bin/tabgan report sample_data/reviews.csv demo/synthetic.csv -o demo/report.html --force
	@echo
	@echo "the real table       sample_data/reviews.csv"
	@echo "the model            demo/reviews.tabgan"
	@echo "the synthetic table  demo/synthetic.csv"
	@echo "the report           demo/report.html (open it in a browser)"

test: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -q -n 2 --dist loadfile

# The same checks of behaviour with pandas 3, which sdmetrics holds back in the other environment.
test-pandas3: .venv-pandas3/installed
	OMP_NUM_THREADS=1 .venv-pandas3/bin/python -m pytest -q -n 2 --dist loadfile

.venv-pandas3/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-pandas3
	grep -v '^pandas\|^sdmetrics' constraints.txt > .venv-pandas3/constraints.txt
	.venv-pandas3/bin/python -m pip install -q -c .venv-pandas3/constraints.txt -e '.[augment,pii,privacy,ray]' opacus 'pandas>=3' \
		build duckdb hatchling hypothesis polars pytest pytest-xdist
	touch $@

# The development extra comes on top of the plain install, so that both targets may run at once under `make -j`.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/installed-dev: .venv/installed
	.venv/bin/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@
