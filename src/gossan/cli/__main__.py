"""`python -m gossan.cli`: the command line where no script is installed."""

import sys

from gossan.cli import main

sys.exit(main())
