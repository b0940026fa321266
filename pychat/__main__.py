"""`python -m pychat` is `pychat`."""

from pychat.cli import main

if __name__ == "__main__":
    main()
