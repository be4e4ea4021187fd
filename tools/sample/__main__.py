"""Write the sample organisation into a folder."""

import sys
from pathlib import Path

from tools.sample.organisation import write_sample

write_sample(Path(sys.argv[1]))
