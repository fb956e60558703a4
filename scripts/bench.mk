# Benchmarks. None of them is a test.

.PHONY: bench bench-peers bench-training bench-accuracy test-accuracy

bench: ## every kernel on every tier, with criterion
	cargo bench

SUITE ?= ternary
# Names of cases, for SUITE=kmeans and SUITE=constrain; all if empty.
CASES ?=
bench-peers: ## against other libraries, in one process  (SUITE=ternary|q35|archive|kmeans|constrain|train)
	$(if $(filter kmeans constrain train,$(SUITE)),benches/peers/$(SUITE).sh $(CASES),cd benches/peers && $(if $(filter archive q35,$(SUITE)),MINILM="$$(./fetch_minilm.sh)" && export MINILM &&) GGML_DIR="$$(./fetch.sh)" && export GGML_DIR && cargo run --quiet --release -- $(SUITE))
	$(if $(filter kmeans,$(SUITE)),cargo run --quiet --release --features rayon --example kmeans_threads)
	$(if $(filter ternary,$(SUITE)),@benches/peers/numpy.sh)

# Arguments of the experiment: --threads, --tasks, --methods, --seeds, --report.
ARGUMENTS ?=
bench-training: ## the hybrid loop against its baselines, over seeds; goes on where it was cut off
	@benches/training/fetch.sh
	cd benches/training && cargo run --quiet --release -- $(ARGUMENTS)

# Arguments of benches/accuracy/bench.py.
ACCURACY ?= --importance
bench-accuracy: ## what the formats do to the embeddings of a real model, beside ggml's
	cargo build --quiet --release --features cli --bin hybridq
	HYBRIDQ=target/release/hybridq benches/accuracy/run.sh $(ACCURACY)

# With a Python that has numpy and safetensors; what else is missing is skipped by name.
ACCURACY_PYTHON ?= benches/accuracy/target/venv/bin/python
test-accuracy: ## the tests of the accuracy bench alone
	cargo build --quiet --release --features cli --bin hybridq
	cd benches/accuracy && HYBRIDQ='$(CURDIR)/target/release/hybridq' '$(abspath $(ACCURACY_PYTHON))' -m unittest
