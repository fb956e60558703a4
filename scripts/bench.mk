# Benchmarks. None of them is a test.

.PHONY: bench bench-peers

bench: ## every kernel on every tier, with criterion
	cargo bench

SUITE ?= ternary
bench-peers: ## against other libraries, in one process  (SUITE=ternary|q35)
	cd benches/peers && GGML_DIR="$$(./fetch.sh)" && export GGML_DIR && \
	MINILM="$$(test $(SUITE) != q35 || ./fetch_minilm.sh)" && export MINILM && cargo run --quiet --release -- $(SUITE)
