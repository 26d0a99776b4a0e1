"""Running the commands as a user does."""

import argparse

from duospike.scripts.main import main


def run(*words):
    """A command through main(); returns its exit status."""
    return main([str(word) for word in words])


def command(modules, *words):
    """A command of these modules of scripts/, without main()'s catching of errors."""
    parser = argparse.ArgumentParser(prog="duospike")
    subparsers = parser.add_subparsers()
    for module in modules:
        module.add_parser(subparsers)
    args = parser.parse_args([str(word) for word in words])
    return args.func(args)
