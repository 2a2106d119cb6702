"""`python -m certify`, the same as the `certify` command."""

from certify.cli.main import main

if __name__ == "__main__":
    main()
