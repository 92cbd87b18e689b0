"""Run ECGDash from the command line: `python -m ecgdash`."""

from ecgdash.cli import main

if __name__ == "__main__":
    main()
