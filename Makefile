# Norma's chores. Each target does its own set-up; a second run repeats nothing.
.PHONY: help setup build demo test bench lint format clean

help:
	@echo 'make demo    build, train on synthetic radiographs, and write demo/report.html'
	@echo 'make build   build the program: .build/release/norma'
	@echo 'make test    run all tests'
	@echo 'make bench   compare speed with PyTorch (needs Python with torch)'
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
	@Scripts/swift test

bench: build
	@Scripts/bench

lint:
	@Scripts/lint

format:
	@swift format format --in-place --recursive --parallel Package.swift Sources Tests

clean:
	rm -rf .build .norma demo
