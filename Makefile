export PATH := $(PATH):$(HOME)/.cargo/bin
export PREFIX ?= /usr/local
export DESTDIR

help:
	@echo 'make demo       moves a mail service between two nodes, by plan and by power cut (root)'
	@echo 'make test       every test, the real servers included (root)'
	@echo 'make chaos      random trouble strikes a moving service, CHAOS=200 schedules from SEED=1 on (root)'
	@echo 'make bench      figures, each beside a peer or the floor'
	@echo 'make install    commands, man pages, completions, agents; PREFIX=$(PREFIX), DESTDIR'
	@echo 'make uninstall  takes the same files away'
	@echo 'make deb        a Debian package in target/debian'
	@echo 'make setup      installs what the tests need; test, demo and bench do it first'

setup:
	@tests/setup

demo: setup
	@cargo test --quiet --locked --release --test demo

# Most tests wait for real servers more than they compute.
test: setup
	@RUST_TEST_THREADS=$$(($$(nproc) * 2)) cargo test --locked --workspace --no-fail-fast

chaos: setup
	@IMS_CHAOS=$${CHAOS:-200} IMS_CHAOS_SEED=$${SEED:-1} IMS_CHAOS_BEDS=$$(($$(nproc) + 1)) cargo test --locked --test ims -- switch::chaos --nocapture

bench:
	@tests/setup bench
	@cargo bench --locked --bench figures

release:
	@cargo build --locked --release --bins

install: release
	@tests/install

uninstall:
	@tests/install remove

deb: release
	@tests/deb

.PHONY: help setup demo test chaos bench release install uninstall deb
