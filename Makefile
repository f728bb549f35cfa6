# The project's tasks. `make` without a target lists them.
.DEFAULT_GOAL := help
TOOLS := .tools
ARCH := x86_64
LAMBDA := target/lambda

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 27

.PHONY: run
run: ## Run the whole system on http://127.0.0.1:3000, with its data in .purser/
	@cargo run

.PHONY: demo
demo: ## Fill .purser/ with years of made-up history to show with `make run`; SEED=1 YEARS=2 CLIENTS=5000 RESELLERS=40
	@cargo run --quiet -- demo --seed $(or $(SEED),1) --years $(or $(YEARS),2) --clients $(or $(CLIENTS),5000) \
		--resellers $(or $(RESELLERS),40)

.PHONY: test
test: built ## Run every test
	cargo test --workspace --lib --bins --tests --quiet

.PHONY: lint
lint: tools ## Check formatting, lints, dependencies and the template
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(TOOLS)/bin/cargo-deny --log-level error check bans licenses sources
	$(TOOLS)/bin/cargo-machete .
	$(TOOLS)/bin/cfn-lint template.yaml infra/cloud/edge.yaml
	$(TOOLS)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(TOOLS)/bin/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	AWS_DEFAULT_REGION=eu-central-1 SAM_CLI_TELEMETRY=0 $(TOOLS)/sam/bin/sam validate --lint --template template.yaml
	LOG_LEVEL=ERROR $(TOOLS)/checkov/bin/checkov --config-file .checkov.yaml

.PHONY: fuzz
fuzz: $(TOOLS)/bin/schemathesis ## Fuzz the API against its OpenAPI document; MINUTES=3 SEED=1
	@tests/fuzz/run $(TOOLS)/bin/schemathesis

.PHONY: clients
clients: $(TOOLS)/bin/openapi-python-client ## Generate a Python client, and do the main job with it
	@tests/clients/run python $(TOOLS)/bin

.PHONY: clients-typescript
clients-typescript: ## Generate a TypeScript client, and do the main job with it; needs node and npm
	@mkdir -p $(TOOLS)/typescript && cp tests/clients/package.json $(TOOLS)/typescript
	@npm install --prefix $(TOOLS)/typescript --silent --no-audit --no-fund
	@tests/clients/run typescript $(TOOLS)/typescript

.PHONY: test-redrive
test-redrive: $(TOOLS)/ministack/bin/ministack ## Test infra/cloud/redrive against an emulated account
	@tests/redrive/run $(TOOLS)/ministack/bin/python

.PHONY: rehearse
rehearse: $(TOOLS)/ministack/bin/ministack built ## Deploy to an emulated cloud, and walk through everything
	@$(TOOLS)/ministack/bin/python tests/rehearse/rehearse.py

.PHONY: rehearse-mutants
rehearse-mutants: $(TOOLS)/ministack/bin/ministack built ## Check that broken templates fail it; MUTANT=part of a name
	@$(TOOLS)/ministack/bin/python tests/rehearse/mutants.py $(MUTANT)

.PHONY: smoke
smoke: $(TOOLS)/ministack/bin/ministack ## Try a deployed system; URL=https://… KEY=an operator's key
	@$(TOOLS)/ministack/bin/python tests/rehearse/smoke.py

.PHONY: verify
verify: ## Verify every wallet of a running system; URL=https://… KEY=an operator's key
	@PURSER_OPERATOR_KEY="$$KEY" cargo run --quiet --package purser-operator -- verify --url "$$URL"

.PHONY: figures
figures: ## Recount every figure of a running system; URL=https://… KEY=an operator's key REBUILD=--rebuild
	@PURSER_OPERATOR_KEY="$$KEY" cargo run --quiet --package purser-operator -- figures --url "$$URL" $(REBUILD)

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
release: $(TOOLS)/lambda/bin/cargo-lambda ## Build the zip for Lambda, target/lambda/purser-api.zip; ARCH=arm64
	@infra/release/build $(ARCH) purser-api purser-api
	@$(TOOLS)/lambda/bin/python infra/release/package.py $(ARCH) $(LAMBDA)/purser-api $(LAMBDA)/purser-api.zip

.PHONY: bench-start
bench-start: release ## Print how fast the release starts and answers; STARTS=20 REQUESTS=1000
	@infra/release/build $(ARCH) purser-bare bare-hello bare-calls
	@cargo run --quiet --package purser-tests --bin bench_start $(LAMBDA) $(or $(STARTS),20) $(or $(REQUESTS),1000)

.PHONY: bench-load
bench-load: built ## Print how many purchases the laptop makes under load, and how it answers overload; SECONDS=8
	@target/debug/bench_load $(or $(SECONDS),8)

.PHONY: costs
costs: built ## Print what a month costs at AWS's list prices; FILE=docs/deploying.md updates the figures there
	@target/debug/costs $(if $(FILE),--write $(FILE))

.PHONY: clean
clean: ## Remove builds and installed tools, but not the data
	cargo clean
	rm -rf $(TOOLS)

# Build everything at once: building a part of it would compile the libraries again, with other features.
.PHONY: built
built:
	cargo build --workspace --all-targets

# Tools are installed inside the project, never system-wide.
.PHONY: tools
tools: $(TOOLS)/bin/cargo-deny $(TOOLS)/bin/cargo-machete $(TOOLS)/bin/cfn-lint
tools: $(TOOLS)/sam/bin/sam $(TOOLS)/checkov/bin/checkov $(TOOLS)/bin/check-jsonschema

$(TOOLS)/bin/pip:
	python3 -m venv $(TOOLS)

$(TOOLS)/bin/cfn-lint: $(TOOLS)/bin/pip
	$(TOOLS)/bin/pip install --quiet cfn-lint==1.58.0

# sam and checkov need different versions of the same libraries, so each has its own environment.
$(TOOLS)/sam/bin/sam:
	python3 -m venv $(TOOLS)/sam && $(TOOLS)/sam/bin/pip install --quiet aws-sam-cli==1.170.0

$(TOOLS)/checkov/bin/checkov:
	python3 -m venv $(TOOLS)/checkov && $(TOOLS)/checkov/bin/pip install --quiet checkov==3.3.30

$(TOOLS)/bin/check-jsonschema: $(TOOLS)/bin/pip
	$(TOOLS)/bin/pip install --quiet check-jsonschema==0.39.0

$(TOOLS)/bin/schemathesis: $(TOOLS)/bin/pip
	$(TOOLS)/bin/pip install --quiet schemathesis==4.32.5

$(TOOLS)/bin/openapi-python-client: $(TOOLS)/bin/pip
	$(TOOLS)/bin/pip install --quiet mypy==2.4.1 openapi-python-client==0.29.1

# ministack has its own environment, because these versions are pinned to each other.
$(TOOLS)/ministack/bin/ministack:
	python3 -m venv $(TOOLS)/ministack
	$(TOOLS)/ministack/bin/pip install --quiet aws-sam-translator==1.115.0 boto3==1.43.106 ministack==1.5.33 PyYAML==6.0.3

# The tools that build a release have their own environment, so that they do not change with the other tools.
$(TOOLS)/lambda/bin/cargo-lambda:
	python3 -m venv $(TOOLS)/lambda
	$(TOOLS)/lambda/bin/pip install --quiet cargo-lambda==1.9.2 pyelftools==0.33 ziglang==0.17.1

$(TOOLS)/bin/cargo-deny:
	cargo install --quiet --locked --root $(TOOLS) cargo-deny@0.20.2

$(TOOLS)/bin/cargo-machete:
	cargo install --quiet --locked --root $(TOOLS) cargo-machete@0.9.2
