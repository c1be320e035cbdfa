"""`python -m wippywasm`: the command line."""

from wippywasm.cli.main import main

main()
