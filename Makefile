# `make help` lists the targets.
PYTHON ?= python3
SERVICES := .venv/.made
SOLO := .venv-st2solo/.made
ST2CLIENT := .venv-st2/.made
ENVIRONMENTS := $(SERVICES) $(SOLO) $(ST2CLIENT)
WES := .venv-wes/.made
CHECKQC := .venv-checkqc/.made
MULTIQC := .venv-multiqc/.made
ERRBOT := .venv-errbot/.made
AWS := .venv-aws/.made
PACKS ?= build/packs
BUNDLE ?= build/bundle
REVISION ?= build/revision
# st2client imports a module that Python 3.13 has no more.
ST2_PINS := 'st2client==3.9.0' 'setuptools<81' 'standard-pipes==3.13.0; python_version >= "3.13"'
PIP := -m pip --quiet --disable-pip-version-check install

# Else our own code is compiled again at each start of a process.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test storm bench parity check format settings packs bundle bundle-test revision docker-test system clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 13

demo: $(ENVIRONMENTS) system  ## runs through the whole chain, watched live (ONCE=1: then stop)
	.venv/bin/python -m demo.watch $(if $(ONCE),--once)

up: $(ENVIRONMENTS) system  ## the whole system in var/up until Ctrl-C; it only observes (MODE=act: works)
	.venv/bin/python -m demo.up $(if $(MODE),--mode $(MODE))

test: $(ENVIRONMENTS) $(WES) $(CHECKQC) $(MULTIQC) $(ERRBOT)  ## every test
	@sh demo/system.sh test
	cd services/st2solo && ../../.venv-st2solo/bin/python -m pytest -q -n 4 --dist loadfile tests $(PYTEST_ARGS)
	cd services/arteriole && ../../.venv/bin/python -m pytest -q -n 4 --dist loadgroup --doctest-modules src tests $(PYTEST_ARGS)
	.venv/bin/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder tests $(PYTEST_ARGS)

storm: $(ENVIRONMENTS)  ## the long tests: SEED=7 STORM="solo_storm --workflows 200"
	.venv/bin/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(STORM)

bench: $(SERVICES) $(SOLO)  ## ours against its peers, measured now: BENCH="conversion --runs 3"
	@sh demo/system.sh test
	-@$(MAKE) --no-print-directory $(AWS)
	.venv/bin/python -m tests.bench $(BENCH)

parity: $(ENVIRONMENTS)  ## tests of others on ours: ST2=/checkout/of/st2, ARTERIA=/checkout/of/arteria-runfolder, EXCHANGE="/checkouts /of /packs"
	$(if $(ARTERIA),.venv/bin/python -m tests.parity.arteria "$(ARTERIA)")
	$(if $(ST2),.venv/bin/python -m tests.parity.packs "$(ST2)")
	$(if $(ST2),.venv/bin/python -m tests.parity "$(ST2)")
	$(if $(EXCHANGE),.venv/bin/python -m tests.parity.exchange $(EXCHANGE))
	@test -n "$(ST2)$(ARTERIA)$(EXCHANGE)" || { echo "name a checkout: make parity ST2=..., ARTERIA=... or EXCHANGE=..." >&2; exit 2; }

check: $(ENVIRONMENTS)  ## format, lint, types, and our packs
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy services/arteriole/src demo deploy/smoke.py deploy/backup.py deploy/pack_configs.py
	cd services/st2solo && ../../.venv-st2solo/bin/mypy --config-file ../../pyproject.toml --exclude '(child|core_pack)/' src
	cd services/st2solo/src/st2solo/child && MYPYPATH=lib ../../../../../.venv-st2solo/bin/mypy \
	    --config-file ../../../../../pyproject.toml --explicit-package-bases *.py lib/* \
	    ../core_pack/actions/*.py
	.venv-st2solo/bin/st2solo check packs/*

format: $(SERVICES)  ## put the code into its form
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

settings: $(SERVICES) $(SOLO)  ## docs/settings.md anew, as the programs have their settings
	{ .venv/bin/arteriole config reference && .venv-st2solo/bin/st2solo settings packs/*; } > docs/settings.md

packs:  ## a git repository a pack in build/packs, for `st2 pack install file://...`
	@for pack in $(notdir $(wildcard packs/*)); do \
	    to="$(PACKS)/$$pack"; rm -rf "$$to"; mkdir -p "$$to"; \
	    cp -R packs/$$pack/. "$$to"; cp LICENSE "$$to"; \
	    find "$$to" -name __pycache__ -prune -exec rm -rf {} +; \
	    git -C "$$to" init --quiet; git -C "$$to" add --all; \
	    git -C "$$to" -c user.name=arteriole -c user.email=arteriole@localhost \
	        commit --quiet --message "Export of the pack $$pack"; \
	    echo "$$to"; \
	done

bundle: override PACKS = $(BUNDLE)/packs
bundle: packs  ## build/bundle.tar.gz: everything to install where there is no network
	@PYTHON="$(PYTHON)" sh bundle/build.sh "$(BUNDLE)" $(ST2_PINS)

bundle-test: $(ENVIRONMENTS)  ## make the bundle, install it without a network, and run what it brings
	.venv/bin/python -m pytest -q -m bundle tests/e2e/test_bundle.py $(PYTEST_ARGS)

revision: bundle  ## build/revision/revision.tar.gz: the bundle with what CodeDeploy does with it
	mkdir -p "$(REVISION)"
	tar -czf "$(REVISION)/revision.tar.gz" --exclude __pycache__ appspec.yml deploy \
	    -C "$(dir $(BUNDLE))" "$(notdir $(BUNDLE))"

docker-test: $(ENVIRONMENTS)  ## images, docker-compose, containers of jobs, on a real Docker engine
	@sh demo/system.sh docker
	.venv/bin/python -m pytest -q -m docker tests/deploy $(PYTEST_ARGS)

system:  ## the system packages that the demo needs
	@sh demo/system.sh

clean:  ## remove the environments and what the demo left
	rm -rf .venv .venv-st2solo .venv-st2 .venv-wes .venv-checkqc .venv-multiqc .venv-errbot .venv-aws .venv-parity .venv-exchange .venv-arteria .venv-arteria-successor var

$(SERVICES): services/arteriole/pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP) -e 'services/arteriole[test]'
	touch $@

$(SOLO): services/st2solo/pyproject.toml
	$(PYTHON) -m venv .venv-st2solo
	.venv-st2solo/bin/python $(PIP) -e 'services/st2solo[test]'
	touch $@

$(ST2CLIENT): Makefile
	$(PYTHON) -m venv .venv-st2
	.venv-st2/bin/python $(PIP) $(ST2_PINS)
	touch $@

$(WES): Makefile  # GA4GH's own client, which the tests speak with
	$(PYTHON) -m venv .venv-wes
	.venv-wes/bin/python $(PIP) 'wes-service==5.0' 'setuptools<81'
	touch $@

$(CHECKQC): Makefile  # a judge of runs of others, whom our statistics must satisfy
	$(PYTHON) -m venv .venv-checkqc
	.venv-checkqc/bin/python $(PIP) --no-compile 'checkQC==4.1.2'
	touch $@

$(ERRBOT): Makefile  # a chat's bot and its plugin for StackStorm, which ask st2solo
	$(PYTHON) -m venv .venv-errbot
	.venv-errbot/bin/python $(PIP) --no-compile 'errbot==6.2.1' 'err-stackstorm==2.3.2'
	touch $@

$(AWS): Makefile  # Amazon's own clients, peers of the archive; the bench goes on without them
	$(PYTHON) -m venv .venv-aws
	.venv-aws/bin/python $(PIP) 'awscli==1.46.2' 'boto3[crt]'
	touch $@

$(MULTIQC): Makefile  # and a reporter; newer ones take 1 GB and tell the same of these statistics
	$(PYTHON) -m venv .venv-multiqc
	.venv-multiqc/bin/python $(PIP) --no-compile 'multiqc==1.27.1'
	touch $@
