# Norma's chores. Each target does its own set-up; a second run repeats nothing.
.PHONY: help setup build demo test fuzz bench lint format clean

help:
	@echo 'make demo    build, train on synthetic radiographs, and write demo/report.html'
	@echo 'make build   build the program: .build/release/norma'
	@echo 'make test    run all tests'
	@echo 'make fuzz    give 10,000 damaged files to the readers, under the address sanitizer'
	@echo 'make bench   compare speed with PyTorch, pydicom and nibabel'
	@echo 'make lint    check the formatting'
	@echo 'make format  put the formatting right'
	@echo 'make clean   remove what was built (and libtorch)'

setup:
	@Scripts/setup

build: setup
	@Scripts/swift build -c release --product norma

demo: build
	@.build/release/norma demo --output demo

test: setup
	@Scripts/corpora
	@Scripts/swift test

fuzz: setup
	@Scripts/corpora
	@Scripts/fuzz

bench: build
	@Scripts/bench

lint:
	@Scripts/lint

format:
	@swift format format --in-place --recursive --parallel Package.swift Sources Tests

clean:
	rm -rf .build .norma demo
