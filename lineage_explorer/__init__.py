"""Which data trained the model that serves this endpoint, and what proves it was allowed to?"""

__version__ = "0.1.0"
