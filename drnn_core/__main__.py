"""``python -m drnn_core``: the same as ``drnn``."""

import sys

from drnn_core.cli import main

sys.exit(main())
