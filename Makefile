# `make` lists the targets. Every tool comes from the lock files, into .venv.

PYTHON ?= python3
AGAINST ?= .git\#branch=main

export PATH := $(CURDIR)/.venv/bin:$(PATH)

GENERATE = buf generate && buf build -o build/paygate.binpb --as-file-descriptor-set && \
	python -m tools.clients && \
	python -m tools.edge production && \
	python -m tools.edge traced --traces http://jaeger:4318/v1/traces && \
	python -m tools.alerting && \
	PYTHONPATH=build/python python -m tools.openapi && \
	node clients/typescript/node_modules/openapi-typescript/bin/cli.js build/openapi.json \
	--output clients/typescript/src/api.ts >/dev/null && \
	node console/build.mjs
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --quiet
YAML = $$(git ls-files --cached --others --exclude-standard '*.yml' '*.yaml')

PROOFS = histories kills bank relays rotation overload soak

.DEFAULT_GOAL := help
.PHONY: help run ready reset up down test test-root test-browser e2e-docker chaos proofs $(PROOFS:%=proof-%) ha attack sandboxes fuzz fuzz-openapi coverage mutate bench check docs fmt proto-generate proto-lint proto-breaking http-breaking openapi-breaking \
	audit images wheel wheel-test sandbox-image check-workflows check-types check-clients check-style \
	lock hooks console python venv-local venv-dev venv-bench venv-ha node-modules newman bench-tools chromium promtool etcd check-generated check-envoy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv-local ## start everything: PostgreSQL, bank, workers, sweep, events, Envoy; Ctrl-C stops it
	@exec python -m tools.stack run

ready: python ## wait until `make run` serves, and print the path of its demo.env
	@exec $(PYTHON) -m tools.stack ready

reset: python ## empty the data folder
	@exec $(PYTHON) -m tools.stack reset

up: ## start everything in containers; PROFILES='bus vault monitoring tracing' for more
	@deploy/compose/up $(PROFILES)

down: ## end the containers and keep their data
	@deploy/compose/up down

# What only root's tests need: Patroni and etcd.
FOR_ROOT = $(if $(filter 0,$(shell id -u)),venv-ha etcd)

# First, alone, attacks and what takes times: the others then find every test compiled. Three at a
# time, for a third of the time tests wait.
test: venv-dev node-modules promtool chromium $(FOR_ROOT) ## run all tests
	pytest -m 'attack or alone'
	pytest --numprocesses=3 --dist=loadscope --no-loadscope-reorder -m 'not (attack or alone)'

test-root: venv-dev $(FOR_ROOT) ## run the tests that only root can, who can be other users and make disks
	pytest -m root

test-browser: venv-dev node-modules chromium ## of those, run the ones of pages, in a real browser
	pytest -m browser tests/console

e2e-docker: venv-dev sandbox-image ## run the stories of the API against containers of their own
	PAYGATE_E2E=compose pytest --timeout=900 tests/e2e/test_features.py tests/e2e/test_rest_features.py \
		tests/e2e/test_grpc_features.py tests/e2e/test_clock_features.py tests/e2e/test_image.py

chaos: venv-dev node-modules chromium ## run the whole crash matrix, for longer
	PAYGATE_CHAOS=full pytest -m chaos --timeout=3600

# `HA=--short` for less; `python -m tests.ha --help` tells the rest.
ha: venv-ha etcd ## as root: kill and cut off three machines under load, in namespaces; 15 minutes
	PYTHONPATH=build/python:clients/python python -m tests.ha --json ha.json --logs .ha $(HA)

# One proof by itself is `make proof-NAME`. Each writes proofs/NAME.json; some take an hour or two.
proof-kills proof-relays proof-histories proof-bank proof-rotation proof-overload: proof-%: venv-dev
	PAYGATE_PROOFS=full nice pytest --timeout=14400 $(PROOF_OF_$*)
PROOF_OF_kills = tests/chaos/test_storm.py
PROOF_OF_relays = tests/chaos/test_relays.py
PROOF_OF_histories = tests/proofs/test_histories.py
PROOF_OF_bank = tests/proofs/test_bad_bank.py
PROOF_OF_rotation = tests/proofs/test_rotation.py
PROOF_OF_overload = tests/proofs/test_overload.py

proof-soak: venv-dev
	PYTHONPATH=.:build/python:clients/python:clients/python-testing nice python -m tests.proofs.soak

proofs: $(PROOFS:%=proof-%) ## prove it, for hours, and write the figures into docs/reliability.md
	python -m tests.proofs.render

attack: venv-dev ## attack it from all sides, for longer
	PAYGATE_ATTACK=full pytest -m attack --timeout=1800

sandboxes: venv-dev ## tell 20 stories in each of 200 sandboxes at once: none may notice another
	PAYGATE_SANDBOXES=full pytest tests/e2e/test_sandboxes.py --timeout=1800 -rP

fuzz: venv-dev ## send 20,000 odd requests; PAYGATE_FUZZ_SEED repeats a run
	PAYGATE_FUZZ_CASES=$${PAYGATE_FUZZ_CASES:-20000} PAYGATE_FUZZ_SEED=$${PAYGATE_FUZZ_SEED:-random} \
		pytest -m fuzz

fuzz-openapi: venv-dev newman ## send what schemathesis makes of build/openapi.json, and the collection
	PAYGATE_FUZZ_OPENAPI=full pytest tests/openapi --timeout=3700

coverage: venv-dev ## see which branches tests take where a mistake would be money: 95 % at least
	coverage run -m pytest -q tests/integration/vault tests/integration/admin \
		tests/unit/test_card.py tests/unit/test_declines.py tests/unit/test_kept_cards.py \
		tests/unit/test_money.py tests/unit/test_payment.py tests/unit/test_payment_ends.py \
		tests/unit/test_refusals.py tests/unit/test_vault_local.py \
		tests/unit/test_what_is_recorded.py tests/unit/steps
	coverage report

# At least so many of a hundred mistakes that are made on purpose have to be noticed.
MUTANTS_NOTICED_MIN ?= 85
mutate: venv-dev ## make mistakes on purpose where money is decided, and count those that tests notice
	rm -rf mutants
	mutmut run --max-children 2
	mutmut export-cicd-stats
	@python -c "import json, sys; of = json.load(open('mutants/mutmut-cicd-stats.json')); \
	score = 100 * of['killed'] // of['total']; print(f'{score} % are noticed'); \
	sys.exit(score < $(MUTANTS_NOTICED_MIN))"

bench: venv-bench bench-tools ## measure it beside peers, for an hour; BENCH='--only peers' for less
	PYTHONPATH=build/python python -m bench --json bench.json $(BENCH)

# Each by itself takes one core; what takes longest goes first.
CHECKS = check-types check-generated docs check-clients check-style check-workflows check-envoy
check: venv-dev node-modules ## lint, types, imports, protos, migrations, images
	@$(MAKE) --no-print-directory --jobs=2 $(CHECKS)

check-types: venv-dev
	mypy

check-clients: venv-dev node-modules
	npm --prefix clients/typescript run --silent check
	npm --prefix console run --silent check
	PYTHONPATH=clients/python lint-imports --config clients/python/pyproject.toml
	PYTHONPATH=clients/python:clients/python-testing lint-imports --config clients/python-testing/pyproject.toml

check-style: venv-dev
	ruff check
	ruff format --check
	lint-imports
	buf lint
	buf format -d --exit-code
	yamllint --strict $(YAML)
	squawk services/*/migrations/*.sql
	hadolint Dockerfile services/*/Dockerfile deploy/sandbox/Dockerfile

# Every warning fails: a link or an anchor that leads nowhere, a page that no list names.
docs: venv-dev ## make a site of docs/, in .site/
	@python -m tools.openapi.reference > docs/reference.md
	@for client in python python-testing typescript; do \
	sed 's#(../../README.md)#(index.md)#; s#(../python/README.md)#(client-python.md)#; s#(../../docs/#(#g' \
	"clients/$$client/README.md" > "docs/client-$$client.md"; done
	@sphinx-build --quiet --fresh-env --fail-on-warning --keep-going --jobs auto docs .site
	@echo 'The site is in .site/index.html.'

fmt: venv-dev ## format and fix what can be fixed by itself
	ruff check --fix
	ruff format
	buf format -w

proto-generate: venv-dev node-modules ## generate build/, openapi.json in it, and what Envoy runs in production
	$(GENERATE)

console: venv-dev node-modules ## make the console's bundle, build/console, of console/src
	@node console/build.mjs

proto-lint: venv-dev ## lint the protos
	buf lint
	buf format -d --exit-code

proto-breaking: venv-dev ## compare the protos with AGAINST (default: .git#branch=main)
	buf breaking --against '$(AGAINST)'

http-breaking: venv-dev ## compare the paths of REST with AGAINST: buf does not see them
	@old=$$(mktemp -d) && trap 'rm -rf "$$old"' EXIT && \
	buf build '$(AGAINST)' -o "$$old/old.binpb" --as-file-descriptor-set && \
	buf build -o "$$old/new.binpb" --as-file-descriptor-set && \
	python -m tools.edge breaking "$$old/old.binpb" "$$old/new.binpb"

# The base branch may be from before there was this file. AGAINST is what buf takes, and ends in =REF.
BASE = $(lastword $(subst =, ,$(AGAINST)))
openapi-breaking: venv-dev ## compare what build/openapi.json promises with AGAINST
	@git rev-parse --quiet --verify '$(BASE)^{commit}' >/dev/null || \
	{ echo 'There is no commit $(BASE).' >&2; exit 1; }
	@git cat-file -e '$(BASE):build/openapi.json' 2>/dev/null || exit 0; \
	old=$$(mktemp) && trap 'rm -f "$$old"' EXIT && \
	git show '$(BASE):build/openapi.json' > "$$old" && \
	python -m tools.openapi.breaking "$$old" build/openapi.json

lock: venv-dev ## choose versions anew and write the lock files
	$(LOCK) --upgrade -o requirements.lock
	$(LOCK) --upgrade --group local -c requirements.lock -o requirements-local.lock
	$(LOCK) --upgrade --group dev -c requirements-local.lock -o requirements-dev.lock
	$(LOCK) --upgrade --group bench -c requirements-dev.lock -o requirements-bench.lock
	$(LOCK) --upgrade --group ha -c requirements-dev.lock -o requirements-ha.lock

hooks: venv-dev ## run the checks before each commit
	pre-commit install

# Generated in a copy: a check must not mend what it finds.
GENERATED = build clients/python/paygate_client clients/typescript/src/api.ts \
	deploy/envoy/production.yaml deploy/envoy/traced.yaml deploy/k8s/overlays/production/alerts.yaml
check-generated: venv-dev node-modules
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	cp -R buf.yaml buf.gen.yaml envoy.yaml pkg proto build services tools "$$copy" && \
	mkdir -p "$$copy/deploy/envoy" "$$copy/deploy/k8s/overlays/production" "$$copy/clients/python" \
	"$$copy/clients/typescript/src" "$$copy/console" && \
	cp -R deploy/observability "$$copy/deploy" && \
	cp -R clients/python/paygate_client "$$copy/clients/python" && \
	cp -R console/build.mjs console/package-lock.json console/src "$$copy/console" && \
	for folder in clients/typescript console; do \
	ln -s "$$PWD/$$folder/node_modules" "$$copy/$$folder" || exit 1; done && \
	(cd "$$copy" && $(GENERATE)) && is_stale= && for made in $(GENERATED); do \
	diff -r -x __pycache__ "$$made" "$$copy/$$made" || is_stale=yes; done && test -z "$$is_stale" || \
	{ echo 'What is generated is stale: run `make proto-generate` and commit it.'; exit 1; }

check-envoy: venv-dev
	@python -m tools.stack validate && python -m tools.edge validate

check-workflows: venv-dev
	@zizmor --offline --no-progress --quiet .github/workflows
	@check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

audit: venv-dev ## look for known weaknesses in what the services and the local stack install
	pip-audit --strict --require-hashes --disable-pip -r requirements.lock
	pip-audit --strict --require-hashes --disable-pip -r requirements-local.lock

images: sandbox-image ## build the images
	@for image in payments payments-migrate acquirer acquirer-migrate events edge; do \
	docker build --quiet --target "$$image" --tag "paygate/$$image" . || exit 1; done

# Without a clone `paygate run` comes from this wheel: see deploy/sandbox.
wheel: venv-dev ## build the wheel paygate-sandbox, whose `paygate run` needs no clone, into dist/
	@rm -rf dist && cd deploy/sandbox && python -m hatchling build -t wheel -d ../../dist

wheel-test: venv-dev ## install that wheel from the package index as its users do, and measure its starts
	PAYGATE_WHEEL=full pytest -s tests/integration/test_wheel.py

sandbox-image: wheel ## build the image paygate/sandbox: everything in one container
	docker build --quiet --file deploy/sandbox/Dockerfile --tag paygate/sandbox .

# Always run, for they look for themselves, in 30 ms: a lock file's time says nothing after a checkout.
venv-local: python
	@$(PYTHON) tools/stack/venv.py requirements-local.lock

venv-dev: python
	@$(PYTHON) tools/stack/venv.py requirements-dev.lock

venv-bench: python
	@$(PYTHON) tools/stack/venv.py requirements-bench.lock

venv-ha: python
	@$(PYTHON) tools/stack/venv.py requirements-ha.lock

# What the console, the TypeScript client and buf's plugin for it stand on. Compared by content, as the lock files are.
NPM_CI = cmp -s package-lock.json node_modules/.installed || \
	{ npm ci --silent && cp package-lock.json node_modules/.installed; }
node-modules: venv-dev
	@cd clients/typescript && $(NPM_CI)
	@cd console && $(NPM_CI)

# What runs the collection; of some size, and wanted by one test.
newman: venv-dev
	@cd clients/collection && $(NPM_CI)

# For the tests of alert rules; without it they are skipped, but not where CI is set.
promtool:
	@deploy/observability/get-promtool

# The load tools are no Python packages: installed where that is possible, else asked for.
bench-tools:
	@command -v h2load >/dev/null && command -v wrk >/dev/null || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	apt-get install --yes --no-install-recommends nghttp2-client wrk; } || \
	{ echo 'paygate: please install the load tools: apt-get install nghttp2-client wrk' >&2; exit 1; }

# Where Patroni keeps who leads. Without it what needs it is skipped, but not where CI is set.
etcd:
	@deploy/ha/get-etcd

# A browser is no Python package either. Without one its tests are skipped, but not where CI is set.
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update --quiet=2 && \
	apt-get install --yes --quiet=2 --no-install-recommends chromium >/dev/null; } || \
	echo 'paygate: no browser: the tests of pages are skipped. Please install one: apt-get install chromium' >&2

python:
	@command -v $(PYTHON) >/dev/null || \
	{ echo 'paygate: $(PYTHON) is not installed: paygate needs Python 3.11 or newer.' >&2; exit 1; }
	@$(PYTHON) tools/stack/venv.py python
