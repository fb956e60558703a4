#!/bin/sh
# rustc with the dotprod instructions of aarch64, as RUSTC_WORKSPACE_WRAPPER: only this package is built again with
# them, the packages it depends on are those of the baseline build.
exec "$@" -Ctarget-feature=+dotprod
