# Benchmarks. None of them is a test.

.PHONY: bench bench-peers

bench: ## every kernel on every tier, with criterion
	cargo bench

SUITE ?= ternary
bench-peers: ## against other libraries, in one process  (SUITE=ternary|archive)
	cd benches/peers && $(if $(filter archive,$(SUITE)),MINILM="$$(./fetch_minilm.sh)" && export MINILM &&) GGML_DIR="$$(./fetch.sh)" && export GGML_DIR && cargo run --quiet --release -- $(SUITE)
