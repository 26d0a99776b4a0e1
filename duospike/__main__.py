"""python -m duospike: the command."""

import sys

from duospike.scripts.main import main

if __name__ == "__main__":
    sys.exit(main())
