# The whole way on real data: train, export, link from C, classify.

.PHONY: demo
demo: lib ## trains ternary digits, exports them, and a C program classifies real images  (FORMAT=dense_ternary)
	@scripts/demo.sh
