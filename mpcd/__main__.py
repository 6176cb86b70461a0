"""`python -m mpcd` is the `mpcd` command."""

from mpcd.cli.main import main

main()
