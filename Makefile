# SPDX-License-Identifier: MIT
#
#   make demo                          show a commit that is blocked, corrected, and passes
#   make demo SRCTREE=~/linux          run the hook over a kernel tree of yours
#   make test                          run the tests
#   make test-kernel TREES=dir         run tests/kernel on real kernels (linux-current and linux-6.12 in dir)
#   make matrix                        run the tests on each Python, with the oldest and newest pre-commit
#   make fuzz                          test every property on EXAMPLES=10000 random inputs, about ten minutes
#   make fuzz-guided                   test random bytes, guided by coverage, for MINUTES=30 (Python 3.11 or 3.13)
#   make bench                         measure time and memory, on generated sources; or SRCTREE=~/linux
#   make bench-peers                   install semgrep and ast-grep, so that make bench compares them too
#   make bench-instructions            count instructions, which are the same in every run
#   make bench-commit SRCTREE=~/linux  time git commit there, with the hook and without
#   make bench-commits SRCTREE=~/linux time --commits over 500 to 2,000 commits
#   make bench-mails SRCTREE=~/linux   time --patch on one mail and on up to 2,000
#   make lint                          run ruff and mypy
#   make format                        format the sources with ruff
#   make dist                          build what is released, check it, and run it on PYTHONS
#   make completion                    write what bash, zsh and tcsh need to complete the command
#   make clean                         delete everything that the others made here
#
# Each target installs what it needs into .venv (bench-peers: into .peers). It only needs python3,
# 3.10 or newer. PYTHON=python3.12 names another one, and makes .venv again.

PYTHON ?= python3
BIN := .venv/bin
EXAMPLES ?= 10000
MINUTES ?= 30
PYTHONS ?= $(shell for each in python3.10 python3.11 python3.12 python3.13 python3.14; do \
	$$each --version > /dev/null 2>&1 && echo $$each; done; true)
INSTALL := $(BIN)/python -m pip --quiet --disable-pip-version-check install
# Not every shell expands the ~ of SRCTREE=~/linux.
override SRCTREE := $(patsubst ~/%,$(HOME)/%,$(SRCTREE))
export SRCTREE

define NO_INDEX
pip could not install what this needs; its message is above. pip needs a package index such
as PyPI. If it cannot reach one, set PIP_INDEX_URL to a mirror, or HTTPS_PROXY to a proxy, or
PIP_NO_INDEX=1 and PIP_FIND_LINKS to a directory with the wheels; then run make again.
endef
export NO_INDEX
FAIL := { echo "make $(MAKECMDGOALS): $$NO_INDEX" >&2; exit 1; }

# Without a target nothing is built.
help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

# The targets that people type, and those that only other targets need.
.PHONY: help bench bench-commit bench-commits bench-instructions bench-mails bench-peers completion demo test test-kernel matrix fuzz fuzz-guided lint format dist clean
.PHONY: build-dist new-python
.DELETE_ON_ERROR:

# Installs the package and one of pyproject.toml's dependency-groups. The path to the sources
# becomes relative, because with LC_ALL=C Python 3.11 and 3.12 read only ASCII there.
.venv/%.stamp: pyproject.toml .venv/created.stamp
	@echo "installing what 'make $(MAKECMDGOALS)' needs into .venv ..."
	@$(INSTALL) --editable . --group $* || $(FAIL)
	@echo ../../../.. | tee .venv/lib/python*/site-packages/kvm_export_hook.pth > /dev/null
	@touch $@

.venv/created.stamp: .venv/kind
	@"$(PYTHON)" -m venv .venv
	@$(INSTALL) --upgrade 'pip >= 25.1' || $(FAIL)
	@touch $@

# Which Python .venv is for. Written only when it is another one.
.venv/kind: new-python
	@kind=$$("$(PYTHON)" -c 'import sys; print(*sys.version_info[:2], ascii(sys.base_prefix))'); \
	test "$$kind" = "$$(cat $@ 2> /dev/null)" || { rm -rf .venv; mkdir .venv; echo "$$kind" > $@; }

new-python:
	@number=$$("$(PYTHON)" -c 'import sys; print(sys.version_info[0] * 100 + sys.version_info[1])' 2> /dev/null); \
	test "$${number:-0}" -ge 310 || { \
		echo "make $(MAKECMDGOALS): this needs Python 3.10 or newer, and $(PYTHON) --version says:" >&2; \
		"$(PYTHON)" --version >&2; \
		echo "$(if $(PYTHONS),Run make $(MAKECMDGOALS) PYTHON=$(lastword $(PYTHONS)),Install a newer one, and name it: make $(MAKECMDGOALS) PYTHON=python3.12)" >&2; \
		exit 1; }

demo: .venv/demo.stamp
	@$(BIN)/python -m demo.demo

test: .venv/test.stamp
	@rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n 2 --quiet
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

test-kernel: .venv/test.stamp
	$(BIN)/python -m pytest --quiet -n 2 tests/kernel --trees '$(TREES)'

# Takes those of python3.10 to python3.14 that are on the PATH.
matrix: .venv/matrix.stamp
	$(BIN)/tox run

fuzz: .venv/test.stamp
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest --quiet -n 2 -m hypothesis \
		--hypothesis-profile fuzz $(if $(TREES),--trees '$(TREES)')

fuzz-guided: .venv/fuzz.stamp
	$(BIN)/python -m tests.helpers.guided -max_total_time=$$(($(MINUTES) * 60))

bench: .venv/demo.stamp
	@$(BIN)/python -m benchmarks.bench $(if $(SRCTREE),--srctree "$$SRCTREE")

bench-instructions: .venv/demo.stamp
	@$(BIN)/python -m benchmarks.instructions $(if $(SRCTREE),--srctree "$$SRCTREE")

bench-commit: .venv/demo.stamp
	@test -n "$$SRCTREE" || { echo "SRCTREE is not set: run make bench-commit SRCTREE=~/linux" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.commit --srctree "$$SRCTREE" $(if $(KEEP),--keep '$(KEEP)')

bench-commits: .venv/demo.stamp
	@test -n "$$SRCTREE" || { echo "SRCTREE is not set: run make bench-commits SRCTREE=~/linux" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.commits --srctree "$$SRCTREE" $(if $(KEEP),--keep '$(KEEP)')

bench-mails: .venv/demo.stamp
	@test -n "$$SRCTREE" || { echo "SRCTREE is not set: run make bench-mails SRCTREE=~/linux" >&2; exit 2; }
	@$(BIN)/python -m benchmarks.mails --srctree "$$SRCTREE" $(if $(KEEP),--keep '$(KEEP)')

# They have many dependencies, so they get an environment of their own.
bench-peers: new-python
	@"$(PYTHON)" -m venv .peers
	@.peers/bin/python -m pip --quiet --disable-pip-version-check install ast-grep-cli semgrep || $(FAIL)

lint: .venv/lint.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: .venv/lint.stamp
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

completion: .venv/completion.stamp
	@set -e; for shell in bash zsh tcsh; do \
		$(BIN)/python -m demo.completion $$shell > .venv/completion.$$shell; done
	@echo "now, in bash: source '$(CURDIR)/.venv/completion.bash'"

# Installs the wheel into a new environment, on each Python, and sees that it finds an export.
dist: build-dist
	$(BIN)/twine check --strict dist/*
	@test -n "$(PYTHONS)" || { echo "no python3.10 to python3.14 on the PATH: install one" >&2; exit 2; }
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; trap 'exit 1' HUP INT TERM; \
	mkdir -p "$$scratch/linux/virt/kvm"; \
	echo 'EXPORT_SYMBOL_GPL(kvm_foo);' > "$$scratch/linux/virt/kvm/x.c"; \
	for python in $(PYTHONS); do \
		$$python -m venv --clear "$$scratch/venv"; \
		"$$scratch/venv/bin/python" -m pip --quiet --disable-pip-version-check install dist/*.whl || $(FAIL); \
		status=0; "$$scratch/venv/bin/kvm-export-hook" --quiet "$$scratch/linux" || status=$$?; \
		test $$status -eq 1; \
		echo "the wheel works on $$($$python --version)"; \
	done

# With the date of the commit, if there is one, so that each clone builds the same bytes.
build-dist: .venv/dist.stamp
	@rm -rf dist
	@date=$$(git log -1 --format=%ct 2> /dev/null) && export SOURCE_DATE_EPOCH="$$date"; \
	$(BIN)/python -m build --quiet --no-isolation

clean:
	rm -rf .peers .tox .venv .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache .mypy_cache dist
