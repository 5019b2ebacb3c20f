"""``python -m lineage_explorer`` is ``lineage-explorer``."""

from .cli import main

if __name__ == "__main__":
    main()
