"""`python -m ops.cli`."""

from ops.cli.main import main

if __name__ == "__main__":
    main()
