# hybridq. `make help` lists what there is.

# Without rustc (`sudo make install`): what has been built before.
HOST := $(or $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p'),$(notdir $(firstword $(wildcard dist/*))))
TARGET ?= $(HOST)
FEATURES ?=
OPT ?=
DIST = dist/$(TARGET)
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

.PHONY: help lib header install uninstall test examples fmt lint clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

lib: ## dist/TARGET/libhybridq.a, headers, .pc  (TARGET=thumbv7em-none-eabihf OPT=3|s FEATURES=...)
	@scripts/lib.sh '$(TARGET)' '$(FEATURES)' '$(OPT)'

header: ## include/hybridq.h from src/capi
	HQ_WRITE_HEADER=1 cargo test --quiet --test capi_header header_is_what_the_sources_say

install: ## archive, headers, .pc below PREFIX (/usr/local) under DESTDIR; builds them if `make lib` has not
	@test -f $(DIST)/libhybridq.a || $(MAKE) lib
	install -d '$(DESTDIR)$(PREFIX)/lib/pkgconfig' '$(DESTDIR)$(PREFIX)/include/hybridq'
	install -m 644 $(DIST)/libhybridq.a '$(DESTDIR)$(PREFIX)/lib/'
	install -m 644 $(DIST)/include/hybridq.h $(DIST)/include/hybridq.hpp '$(DESTDIR)$(PREFIX)/include/'
	install -m 644 $(DIST)/include/hybridq/*.hpp '$(DESTDIR)$(PREFIX)/include/hybridq/'
	sed -e 's|@UP@|../..|; s|@LIB@|/lib|; s|@VERSION@|$(VERSION)|' scripts/hybridq.pc.in \
	    >'$(DESTDIR)$(PREFIX)/lib/pkgconfig/hybridq.pc'

uninstall: ## remove what `make install` put there
	rm -f '$(DESTDIR)$(PREFIX)/lib/libhybridq.a' '$(DESTDIR)$(PREFIX)/lib/pkgconfig/hybridq.pc' \
	    '$(DESTDIR)$(PREFIX)/include/hybridq.h' '$(DESTDIR)$(PREFIX)/include/hybridq.hpp'
	rm -rf '$(DESTDIR)$(PREFIX)/include/hybridq'

test: ## all tests that this machine can run alone; the C tests are among them (tests/capi*.rs)
	cargo check --all-targets
	cargo test --all-features

examples: lib ## build and run the C and C++ examples
	$(MAKE) -C c_examples run HYBRIDQ='$(CURDIR)/$(DIST)'

fmt: ## format the sources
	cargo fmt

lint: ## formatting and clippy, warnings denied, with all features and with none
	cargo fmt --check
	cargo clippy --all-features --all-targets -- -D warnings
	cargo clippy --no-default-features --all-targets -- -D warnings
	cargo clippy --no-default-features --features capi --lib -- -D warnings

clean: ## remove everything that was built
	cargo clean
	rm -rf dist c_examples/build

# Targets of their own files, where they are there: cross tests, demo, benchmarks.
-include scripts/*.mk
