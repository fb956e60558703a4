# The whole way on real data: quantize, export, link from C, classify.

.PHONY: demo
demo: lib ## real weights in, packed ternary out, a C program classifies real images  (FORMAT=dense_ternary)
	@scripts/demo.sh
