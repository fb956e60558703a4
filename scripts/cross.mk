# Cross builds, emulated tests and the size table. Included by the Makefile; see docs/cross.md.

.PHONY: test-all test-tiers test-aarch64 test-cortex-m test-fortran test-mpi build-targets cross-packages \
    size-table size-table-check size-table-write gguf-check

test-all: ## make test, every tier, bare-metal builds, aarch64 and Cortex-M under emulation, Fortran, MPI
	@scripts/cross/packages.sh
	$(if $(TESTED),@echo "test-all: make test has passed already (TESTED=$(TESTED))",$(MAKE) test)
	$(MAKE) test-tiers
	$(MAKE) build-targets
	$(MAKE) test-aarch64
	$(MAKE) test-cortex-m
	$(MAKE) test-fortran
	$(MAKE) test-mpi
	$(MAKE) size-table-check
	@echo "test-all: passed: test, test-tiers, build-targets, test-aarch64, test-cortex-m, test-fortran, test-mpi, size-table-check"

cross-packages: ## say which packages test-all misses
	@scripts/cross/packages.sh

test-tiers: ## the suite with HQ_TIER=scalar, sse4.2, avx2
	@scripts/cross/tiers.sh

build-targets: ## the core for thumbv6m, thumbv7em, riscv32imac and aarch64-none, without an allocator
	@scripts/cross/build_targets.sh

test-aarch64: ## the suite on aarch64 (NEON) under QEMU
	@scripts/cross/aarch64.sh

test-cortex-m: ## hq_selftest of the archive on an emulated Cortex-M4 and M0; int8 k-means; the Rust firmware example
	@scripts/cross/cortex_m.sh
	@scripts/cross/firmware.sh

test-fortran: ## c_examples/matmul.f90 with gfortran: 3.5-bit weights through iso_c_binding
	@scripts/cross/fortran.sh

test-mpi: ## c_examples/mpi_kmeans.c and mpi_train.c on 1 to 4 ranks of Open MPI: the same bytes on any number
	@scripts/cross/mpi.sh

SIZE_FILES = README.md docs/sizes.md
size-table: ## flash, scratch and stack bytes of every function on Cortex-M4
	@scripts/cross/cortex_m.sh cortex-m4 >&2
	@scripts/size_table.py

size-table-check: ## fail if the table in README.md or docs/sizes.md has drifted
	@scripts/cross/cortex_m.sh cortex-m4 >&2
	@scripts/size_table.py --check $(SIZE_FILES)

size-table-write: ## put the measured table into README.md and docs/sizes.md
	@scripts/cross/cortex_m.sh cortex-m4 >&2
	@scripts/size_table.py --write $(SIZE_FILES)

gguf-check: ## the gguf package from PyPI decodes our files to our values (needs the network once)
	@scripts/check_gguf.sh
