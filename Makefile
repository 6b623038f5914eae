# make demo : set up and make a talking-face video from a photo
# make test : set up and run lint, types and all tests (no network after the set-up)
SHELL := /bin/bash
PYTHON ?= python3
PHOTO ?=
TEXT ?= Hello. I am only a photograph, but give me a text, and I will read it to you.
OUT ?= out/demo.mp4
TORCH_INDEX ?=
BIN := .venv/bin

.PHONY: help demo test lint types check bench system clean

help:
	@sed -n '1,2s/^# //p' Makefile

.venv/ready: pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "facevox needs Python 3.11 or newer; name it with PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python cannot make environments here; on Debian: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install -q -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,evaluate,train]'
	@touch $@

# World's vocoder is built from source: without a compiler the tests that need it are skipped.
.venv/world: .venv/ready
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[world]' || \
	  echo "pyworld did not build (it needs a C++ compiler): MCD and F0-RMSE cannot be measured"
	@touch $@

# Ray is 600 MB: without it only the tests of the cluster engine are skipped.
.venv/scale: .venv/ready
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[scale]' || \
	  echo "ray did not install: preparing corpora on a cluster is not tested"
	@touch $@

system: .venv/ready
	@$(BIN)/python -c 'from facevox.models.speech.flite import FliteEngine; FliteEngine.load()' 2>/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get install -y -qq libflite1 || (apt-get update -qq && apt-get install -y -qq libflite1)) >/dev/null; \
	  else \
	    echo "flite is missing, so the neural voice speaks; for flite: sudo apt-get install libflite1 (macOS: brew install flite)"; \
	  fi

demo: system
	@mkdir -p $(dir $(OUT))
	@photo='$(PHOTO)'; \
	if [ -z "$$photo" ]; then photo=out/portrait.png; $(BIN)/python -m facevox.app.demo_portrait $$photo; fi; \
	$(BIN)/facevox speak "$$photo" "$(TEXT)" -o "$(OUT)"

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

test: system .venv/world .venv/scale lint types
	$(BIN)/python -m pytest -n 2

check: test

bench: system
	$(BIN)/facevox bench

clean:
	rm -rf .venv out .pytest_cache .ruff_cache .mypy_cache
