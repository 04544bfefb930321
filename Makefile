# Each task installs what is missing, says what it does and how long it takes, and is quick when nothing has changed.
# The steps themselves are in scripts/task.sh.

.PHONY: help build run dev test faults check bench clean
.DEFAULT_GOAL := help

help:
	@echo 'make run     build the release, load the demo shop on first use, serve http://127.0.0.1:3000'
	@echo 'make build   the release only: the server program and target/site'
	@echo 'make dev     serve a development build; rebuild and reload on every change'
	@echo 'make test    all Rust tests and all browser tests'
	@echo 'make faults  kill nodes and databases, cut connections, fill disks, turn clocks under load: minutes'
	@echo 'make check   formatting, clippy, the fast tests, and the licences, versions and known holes of dependencies'
	@echo 'make bench   measurements'
	@echo 'make clean   remove what was built in this checkout (not ./data, not the shared cache)'

build run dev test faults check bench clean:
	@bash scripts/task.sh $@
