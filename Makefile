# The project's tasks. `make` without a target lists them.
.DEFAULT_GOAL := help
# Where tools are installed: outside the checkout, so that another one finds them.
TOOLS := $(or $(PURSER_TOOLS),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/purser)
ARCH := x86_64
LAMBDA := target/lambda
BINARIES := purser-api purser-workers purser-people
DENY := $(TOOLS)/cargo-deny-0.20.2
MACHETE := $(TOOLS)/cargo-machete-0.9.2
CYCLONEDX := $(TOOLS)/cargo-cyclonedx-0.5.9

# Each group of Python tools has an environment of its own, because they need different versions of the same libraries.
# It is named by its lock, so that another lock gets another one.
define environment
python-$(1) := $(TOOLS)/python-$(1)-$(shell sha256sum infra/tools/$(1).txt | cut -c 1-12)
$$(python-$(1))/locked:
	rm -rf $$(@D)
	python3 -m venv $$(@D)
	$$(@D)/bin/pip install --quiet --no-deps --require-hashes --requirement infra/tools/$(1).txt
	@touch $$@
endef
$(foreach group,browser checkov clients cloud fuzz lint locks rehearse release sam,$(eval $(call environment,$(group))))

# How `make run` builds: optimised or fast to build.
PROFILE := $(if $(RELEASE),fast,dev)

SCHEMA := $(python-lint)/bin/check-jsonschema --quiet --builtin-schema

ifeq ($(origin KEY),command line)
$(error Everybody on this machine can read a command line. Put the key into the variable PURSER_OPERATOR_KEY instead)
endif

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 27

.PHONY: run
run: ## Run the whole system on http://127.0.0.1:3000, with its data in .purser/; RELEASE=1 optimised
	@cargo run --profile $(PROFILE)

.PHONY: demo
demo: ## Fill .purser/ with years of made-up history to show with `make run`; SEED=1 YEARS=2 CLIENTS=5000 RESELLERS=40
	@cargo run --quiet -- demo --seed $(or $(SEED),1) --years $(or $(YEARS),2) --clients $(or $(CLIENTS),5000) \
		--resellers $(or $(RESELLERS),40)

.PHONY: test
test: built ## Run every test, and say which took longest
	@tests/support/timed --workspace --lib --bins --tests --no-fail-fast

.PHONY: lint
lint: tools ## Check formatting, lints, dependencies and the template
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo clippy --package purser-lambda --quiet -- -D warnings   # as a release is built: without feature `document`
	$(DENY)/bin/cargo-deny --log-level error check bans licenses sources
	$(MACHETE)/bin/cargo-machete .
	$(python-lint)/bin/cfn-lint template.yaml infra/cloud/edge.yaml
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml
	$(SCHEMA) vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	AWS_DEFAULT_REGION=eu-central-1 SAM_CLI_TELEMETRY=0 $(python-sam)/bin/sam validate --lint --template template.yaml
	LOG_LEVEL=ERROR $(python-checkov)/bin/checkov --config-file .checkov.yaml

.PHONY: advisories
advisories: $(DENY)/bin/cargo-deny ## Look for known faults of the dependencies; fetches the list of RustSec
	$(DENY)/bin/cargo-deny --log-level error check advisories

.PHONY: fuzz
fuzz: $(python-fuzz)/locked ## Fuzz the API against its OpenAPI document; MINUTES=3 SEED=1
	@tests/fuzz/run $(python-fuzz)/bin/schemathesis

.PHONY: clients
clients: $(python-clients)/locked ## Generate a Python client, and do the main job with it
	@tests/clients/run python $(python-clients)/bin

.PHONY: clients-typescript
clients-typescript: ## Generate a TypeScript client, and do the main job with it; needs node and npm
	@mkdir -p $(TOOLS)/typescript && cp tests/clients/package.json tests/clients/package-lock.json $(TOOLS)/typescript
	@npm ci --prefix $(TOOLS)/typescript --silent --no-audit --no-fund --ignore-scripts
	@tests/clients/run typescript $(TOOLS)/typescript

.PHONY: browser
browser: $(python-browser)/locked built ## Meet the pages in a browser, and attack from one; needs Chromium and node
	@$(python-browser)/bin/python -B -m unittest discover --verbose --start-directory tests/browser

.PHONY: test-redrive
test-redrive: $(python-rehearse)/locked ## Test infra/cloud/redrive against an emulated account
	@tests/redrive/run $(python-rehearse)/bin/python

.PHONY: rehearse
rehearse: $(python-rehearse)/locked built ## Deploy to an emulated cloud, and walk through everything
	@$(python-rehearse)/bin/python tests/rehearse/rehearse.py
	@tests/rehearse/smoke-laptop

.PHONY: rehearse-mutants
rehearse-mutants: $(python-rehearse)/locked built ## Check that broken templates fail it; MUTANT=part of a name
	@$(python-rehearse)/bin/python tests/rehearse/mutants.py $(MUTANT)

# These take an operator's key from the variable PURSER_OPERATOR_KEY.

.PHONY: smoke
smoke: ## Try a deployed system; URL=https://…
	@python3 tests/rehearse/smoke.py "$$URL"

.PHONY: verify
verify: ## Verify every wallet of a running system; URL=https://…
	@cargo run --quiet --package purser-operator -- verify --url "$$URL"

.PHONY: figures
figures: ## Recount every figure of a running system; URL=https://… REBUILD=--rebuild
	@cargo run --quiet --package purser-operator -- figures --url "$$URL" $(REBUILD)

.PHONY: bench
bench: built ## Print what each operation costs in round trips and capacity units
	@target/debug/bench

.PHONY: simulate
simulate: built ## Simulate a cloud that has faults; SEEDS=1000 FRESH=10 FROM=1 COMMANDS=200 PEOPLE=3 BUG=TwoCommits
	@target/debug/simulate --seeds $(or $(SEEDS),100) --fresh $(or $(FRESH),0) --from $(or $(FROM),1) \
		--commands $(or $(COMMANDS),200) --people $(or $(PEOPLE),3) $(if $(BUG),--bug $(BUG))

.PHONY: crash
crash: built ## Kill purser under load, restart it, and check that nothing is lost or doubled; N=20 SEED=1
	@target/debug/crash $(or $(N),20) $(SEED)

.PHONY: release
release: $(python-release)/locked ## Build the zips for Lambda, target/lambda/*.zip; ARCH=arm64
	@PATH="$(python-release)/bin:$$PATH" infra/release/build $(ARCH) purser-lambda $(BINARIES)
	@for binary in $(BINARIES); do \
		$(python-release)/bin/python infra/release/package.py $(ARCH) $(LAMBDA)/$$binary $(LAMBDA)/$$binary.zip || exit; \
	done

.PHONY: sbom
sbom: $(CYCLONEDX)/bin/cargo-cyclonedx ## Say what is in those zips, in CycloneDX: target/lambda/purser.cdx.json
	@infra/release/sbom $(CYCLONEDX)/bin $(LAMBDA)/purser.cdx.json

.PHONY: bench-start
bench-start: release built ## Print how fast the release starts and answers; STARTS=20 REQUESTS=1000
	@PATH="$(python-release)/bin:$$PATH" infra/release/build $(ARCH) purser-bare bare-hello bare-calls
	@target/debug/bench_start $(LAMBDA) $(or $(STARTS),20) $(or $(REQUESTS),1000)

.PHONY: bench-load
bench-load: $(if $(RELEASE),built-fast,built) ## Print what the laptop sells under load; SECONDS=8 RELEASE=1
	@target/$(if $(RELEASE),fast,debug)/bench_load $(or $(SECONDS),8)

.PHONY: costs
costs: built ## Print what a month costs at AWS's list prices; FILE=docs/deploying.md updates the figures there
	@target/debug/costs $(if $(FILE),--write $(FILE))

.PHONY: clean
clean: ## Remove builds, but not the data, and not the tools, which other checkouts use, too
	cargo clean

# Build everything at once: building a part of it would compile the libraries again, with other features.
.PHONY: built
built:
	cargo build --workspace --all-targets

.PHONY: built-fast
built-fast:
	cargo build --profile fast --workspace --bin purser --bin bench_load

# Nothing is installed system-wide, and Python's tools only in the bytes that infra/tools names.
.PHONY: tools
tools: $(DENY)/bin/cargo-deny $(MACHETE)/bin/cargo-machete
tools: $(python-lint)/locked $(python-sam)/locked $(python-checkov)/locked

.PHONY: cloud-tools
cloud-tools: $(python-cloud)/locked ## Install what infra/cloud needs, and print the folder for PATH
	@echo $(python-cloud)/bin

.PHONY: lock
lock: $(python-locks)/locked ## Resolve the versions in infra/tools/pyproject.toml again, with the hash of every package
	@for group in $$(sed -n 's/^\([a-z]*\) = \[.*/\1/p' infra/tools/pyproject.toml); do \
		$(python-locks)/bin/uv pip compile --quiet --upgrade --universal --no-header --generate-hashes \
			--group infra/tools/pyproject.toml:$$group --output-file infra/tools/$$group.txt || exit; \
	done
	@cd tests/clients && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent

$(DENY)/bin/cargo-deny:
	cargo install --quiet --locked --root $(DENY) cargo-deny@0.20.2

$(MACHETE)/bin/cargo-machete:
	cargo install --quiet --locked --root $(MACHETE) cargo-machete@0.9.2

$(CYCLONEDX)/bin/cargo-cyclonedx:
	cargo install --quiet --locked --root $(CYCLONEDX) cargo-cyclonedx@0.5.9
