"""Makes the builders of clusters beside this file importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
